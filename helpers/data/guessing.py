"""What the columns of an unknown table may be: identifiers, features, the outcome."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from helpers.data.reading import MISSING_TEXTS

MOST_CATEGORIES = 60  # more are names, addresses or dates
FEW = 8  # whole numbers that are listed, as they may be codes
_ID = re.compile(
    r"\b(id|uuid|guid)\b|\b(key|number|no|nr|nummer|iban|e?mail|phone)$|^(customer|client|account|index|row)$"
    r"|^(customer|client|user|account|row|person|member|policy|kunden?|konto)(id|key|number|no|nr|nummer)$"
)


def words(name: str) -> str:
    """Return a column's name as separate lower-case words: ``CustomerID`` as ``customer id``."""
    return " ".join(re.findall(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+", name)).lower()


@dataclass(frozen=True, eq=False)
class Column:
    """A column, every value as it is written.

    Attributes
    ----------
    texts : Series of str
    """

    name: str
    texts: pd.Series

    @cached_property
    def present(self) -> pd.Series:
        """Return the values that are there."""
        return self.texts[~self.texts.isin(MISSING_TEXTS)]

    @cached_property
    def counts(self) -> pd.Series:
        """Return how often each value occurs, in the order of the values."""
        return self.present.value_counts().sort_index()

    @property
    def values(self) -> list[str]:
        """Return the different values, sorted."""
        return list(self.counts.index)

    @property
    def different(self) -> int:
        """Return how many values differ; 1 and 1.0 do not."""
        return self.numbers.nunique() if self.is_numeric else len(self.values)

    @cached_property
    def numbers(self) -> pd.Series:
        """Return the values as numbers; what is none is missing, and all are if one is a code such as 01."""
        if self.present.str.fullmatch(r"0\d+").any():
            return pd.Series(np.nan, self.present.index)
        numbers = pd.to_numeric(self.present.astype(object), errors="coerce").astype("float64")
        return numbers.mask(np.isinf(numbers))

    @cached_property
    def is_numeric(self) -> bool:
        """Tell whether every value is a number."""
        return bool(len(self.present) and self.numbers.notna().all())

    @cached_property
    def is_coded(self) -> bool:
        """Tell whether the values are the numbers 0 and 1."""
        return self.is_numeric and set(self.numbers) == {0, 1}

    @property
    def is_whole(self) -> bool:
        """Tell whether every value is a whole number."""
        return self.is_numeric and bool((self.numbers % 1 == 0).all())

    @cached_property
    def is_unique(self) -> bool:
        """Tell whether every row has a value of its own."""
        return self.texts.is_unique and not self.texts.eq("").any()

    @cached_property
    def looks_like_id(self) -> bool:
        """Tell whether the name is one of an identifier."""
        return bool(_ID.search(words(self.name)))

    @cached_property
    def counts_rows(self) -> bool:
        """Tell whether the values number the rows, from 0 or 1."""
        first = self.numbers.min()
        return (
            self.is_unique
            and first in (0, 1)
            and self.numbers.tolist() == list(first + np.arange(len(self.texts)))
        )

    @property
    def missing(self) -> int:
        """Return how many values are missing."""
        return len(self.texts) - len(self.present)


@dataclass(frozen=True)
class Guess:
    """What a column may be, what a person should know about it, and why it is no feature as it is."""

    role: Literal["identifier", "numeric", "categorical", "binary", None]
    remark: str = ""
    left_out: str = ""

    @property
    def is_feature(self) -> bool:
        """Tell whether a model may see it."""
        return self.role not in ("identifier", None) and not self.left_out


def guess_role(column: Column) -> Guess:
    """Return what a column other than the target may be."""
    if column.different < 2:
        share = f", and {column.missing:,} are missing" if column.missing else ""
        return Guess(None, left_out=f"only {column.values[0]!r}{share}" if column.values else "it is empty")
    return _guess_number(column) if column.is_numeric else _guess_text(column)


def _guess_number(column: Column) -> Guess:
    if column.counts_rows:
        return Guess("identifier", "numbers the rows")
    if column.is_unique and column.is_whole:
        if column.looks_like_id:
            return Guess("identifier", "every row has another")
        if column.texts.str.len().nunique() == 1:
            return Guess("identifier", "check: all are different and equally long; or is it a quantity?")
    elif column.looks_like_id and column.different > MOST_CATEGORIES:
        return Guess("identifier", f"check: {column.different:,} different numbers; or is it a quantity?")
    if column.is_coded:
        return Guess("binary")
    if column.is_whole and column.different <= FEW:
        found = ", ".join(map(str, sorted(column.numbers.astype("int64").unique())))
        return Guess("numeric", f"check: {found} occur; if they are codes, make them categorical")
    found = f"{column.numbers.min():.10g} to {column.numbers.max():.10g}"
    return Guess("numeric", f"check: {found} occur; what is possible?")


def _guess_text(column: Column) -> Guess:
    if not column.is_unique and column.different <= min(MOST_CATEGORIES, max(10, len(column.present) // 20)):
        alike = len({value.strip().lower() for value in column.values}) < column.different
        return Guess("categorical", "check: some values differ only in case or blanks" if alike else "")
    wrong = column.present[column.numbers.isna()]
    if len(wrong) < len(column.present) / 2:
        first = f"{wrong.iloc[0][:40]!r} in line {wrong.index[0] + 2}"
        reason = f"{len(wrong):,} values are no numbers, e.g. {first}: correct or empty them"
        return Guess("numeric", left_out=reason)
    if column.is_unique and column.looks_like_id:
        return Guess("identifier", "every row has another")
    return Guess("identifier", f"check: {column.different:,} different texts")
