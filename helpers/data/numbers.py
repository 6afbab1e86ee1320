"""Numbers as spreadsheets and programs write them: which mark is the decimal one, which groups thousands.

``1234,5``, ``1.234,50``, ``1 234,5`` and ``1'234.50`` can be read in one way only. ``83.808`` cannot: it is
83.808 or, with a point between thousands, 83808. Where a column has nothing else, nothing is assumed.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pandas as pd

from helpers.errors import DataError

POINT, COMMA = ".", ","
NAMES = {POINT: "point", COMMA: "comma"}
MARKS: dict[str | None, str] = {name: mark for mark, name in NAMES.items()}
OTHER = {POINT: COMMA, COMMA: POINT}
_NEUTRAL = " \u00a0\u202f'’"  # between thousands, too, and never decimal marks
_SIGN = "[-+]?"
_LIKE = rf"{_SIGN}[\d.,{_NEUTRAL}]*\d[\d.,]*(?:[eE]{_SIGN}\d+)?"
_FEW = 100
_LONG = rf"{_SIGN}\d{{5,}}"  # nothing is between its thousands


@dataclass(frozen=True)
class Marks:
    """The decimal mark of a file, and the columns in which that mark is between thousands instead."""

    decimal: str = POINT
    swapped: frozenset[str] = frozenset()

    def of(self, column: str) -> str:
        """Return a column's decimal mark."""
        return OTHER[self.decimal] if column in self.swapped else self.decimal

    def assumed(self, has_groups: bool) -> list[str]:
        """Return in what the numbers differ from the project's own, given whether thousands are grouped."""
        commas = ["decimal commas"] if self.decimal == COMMA else []
        return commas + (["separators between thousands"] if has_groups else [])


def _decimal(mark: str) -> str:
    """Match a number with a decimal mark and nothing between thousands."""
    return rf"{_SIGN}(?:\d+[{mark}]\d*|[{mark}]\d+)(?:[eE]{_SIGN}\d+)?"


def _grouped(mark: str, rest: str = "?") -> str:
    """Match a number with something between thousands, the same everywhere, given its decimal mark."""
    groups = "|".join(rf"(?:{separator}\d{{3}})+" for separator in map(re.escape, OTHER[mark] + _NEUTRAL))
    return rf"{_SIGN}[1-9]\d{{0,2}}(?:{groups})(?:[{mark}]\d*){rest}"


def _ambiguous(mark: str) -> str:
    """Match a number that is a whole one if the mark is not the decimal one."""
    return rf"{_SIGN}[1-9]\d{{0,2}}[{mark}]\d{{3}}"


def _proof(mark: str) -> str:
    """Match a number that can only be read with this decimal mark: what `_ambiguous` leaves out."""
    decimals = [
        rf"(?:0\d*|\d{{4,}})[{mark}]\d*",
        rf"\d+[{mark}](?:\d{{0,2}}|\d{{4,}})",
        rf"\d*[{mark}]\d*[eE]{_SIGN}\d+",
        rf"[{mark}]\d+",
    ]
    millions = rf"{_SIGN}[1-9]\d{{0,2}}(?:[{OTHER[mark]}]\d{{3}}){{2,}}"
    return rf"{_SIGN}(?:{'|'.join(decimals)})|{_grouped(mark, '')}|{millions}"


class _Evidence(dict[str, tuple[int, str]]):
    """The first number of each kind in a column, as line and text."""

    def collect(self, texts: pd.Series, wide: bool) -> None:
        """Look at more of the column's values; thousands are only possible in a wide one."""
        texts = texts.str.strip()
        marked = texts[texts.str.contains("[.,]")]
        for mark in NAMES:
            self._find(f"proof of {mark}", marked, _proof(mark))
            self._find(f"ambiguous {mark}" if wide else f"proof of {mark}", marked, _ambiguous(mark))
        self._find("long", texts, _LONG)

    def _find(self, kind: str, texts: pd.Series, pattern: str) -> None:
        for some in (texts.head(_FEW), texts):  # the first values tell most often
            if kind in self:
                return
            found = some[some.str.fullmatch(pattern)]
            if len(found):
                self[kind] = int(found.index[0]) + 2, str(found.iloc[0])

    @property
    def is_clear(self) -> bool:
        """Whether there is no need to look at more of the column."""
        return any(f"proof of {mark}" in self for mark in NAMES)

    def tells(self, mark: str, decimal: str) -> bool:
        """Return whether the column tells how to read ``83.808``, given its mark and the file's."""
        return self.is_clear or ("long" in self and mark == decimal)


def find_marks(
    name: str,
    chunks: Iterable[pd.DataFrame],
    wide: Collection[str],
    stated: str | None = None,
    known: bool = False,
    place: str = "line",
) -> Marks:
    """Find out how a file writes its numbers, reading no more of it than is needed.

    Parameters
    ----------
    name : str
        What to call the file in an error.
    chunks : iterable of DataFrame
        The columns of numbers as texts; row ``i`` of the index is line ``i + 2``.
    wide : collection of str
        Columns in which there may be thousands.
    stated : str, optional
        The decimal mark of numbers that can be read in two ways.
    known : bool
        Whether the decimal mark can only be a point, as in a CSV with commas and without quotes.
    place : str
        What to call a line in an error.

    Raises
    ------
    DataError
        If columns have different decimal marks, or one can be read in two ways and nothing is stated.
    """
    columns: dict[str, _Evidence] = {}
    for chunk in chunks:
        for column in chunk:
            evidence = columns.setdefault(str(column), _Evidence())
            evidence.collect(chunk[column].dropna(), column in wide)
        proven = known or any(f"proof of {mark}" in found for found in columns.values() for mark in NAMES)
        if proven and all(columns[column].is_clear for column in columns if column in wide):
            break
    proofs = {
        mark: next(((c, *found[kind]) for c, found in columns.items() if kind in found), None)
        for mark in NAMES
        for kind in [f"proof of {mark}"]
    }
    if known and proofs[POINT]:
        proofs[COMMA] = None  # numbers with points between thousands, which cannot be read then
    if all(proofs.values()):
        examples = " and ".join(
            f"a {NAMES[mark]} in {proof[0]} ({place} {proof[1]}: {proof[2]!r})"
            for mark, proof in proofs.items()
            if proof
        )
        raise DataError(f"{name}: the decimal mark is {examples}. Write all numbers in one way.")
    decimal = COMMA if proofs[COMMA] else POINT if proofs[POINT] or known else stated or POINT
    doubtful = {
        column: (mark, *found[f"ambiguous {mark}"])
        for column, found in columns.items()
        for mark in NAMES
        if f"ambiguous {mark}" in found and not found.tells(mark, decimal)
    }
    if doubtful and stated is None:
        raise DataError(
            "\n  - ".join([f"{name} has numbers that can be read in two ways:", *_both(doubtful, place)])
        )
    return Marks(decimal, frozenset(doubtful) if stated not in (None, decimal) else frozenset())


def _both(doubtful: dict[str, tuple[str, int, str]], place: str) -> Iterable[str]:
    for column, (mark, line, text) in doubtful.items():
        decimal, whole = text.replace(mark, "."), text.replace(mark, "")
        yield (
            f"{column}: {text!r} ({place} {line}) is {decimal} if the {NAMES[mark]} is the decimal mark, and "
            f"{whole} if it is between thousands; so it is with every value. State which: `decimal: "
            f"{NAMES[mark]}` or `decimal: {NAMES[OTHER[mark]]}` in the table's description (for a draft of "
            "one, `--decimal`), or export the numbers with nothing between thousands."
        )


def plain(texts: pd.Series, decimal: str) -> tuple[pd.Series, bool]:
    """Return numbers with a decimal point and nothing between thousands, given the decimal mark.

    Parameters
    ----------
    texts : Series of str
        What is no number with this decimal mark stays as it is; blanks around it do not count.
    decimal : str
        The mark.

    Returns
    -------
    Series of str
    bool
        Whether there was something between thousands.

    Raises
    ------
    DataError
        If there are decimal points where the mark is a comma.
    """
    texts = texts.str.strip()
    grouped = _matches(texts, _grouped(decimal))
    if decimal == COMMA:
        foreign = texts[_matches(texts, _decimal(POINT)) & ~grouped]
        if len(foreign):
            raise DataError(
                f"{texts.name} has a decimal point ({foreign.iloc[0]!r}) among decimal commas. "
                "Write all numbers in one way."
            )
    separators = f"[{re.escape(OTHER[decimal] + _NEUTRAL)}]"
    texts = texts.mask(grouped, texts[grouped].str.replace(separators, "", regex=True))
    with_mark = _matches(texts, _decimal(decimal))
    return texts.mask(with_mark, texts[with_mark].str.replace(decimal, POINT)), bool(grouped.any())


def as_numbers(texts: pd.Series) -> pd.Series:
    """Return plain texts as numbers if all of them are, else as they are."""
    numbers = pd.to_numeric(texts.astype(object), errors="coerce")
    return numbers if numbers.notna().equals(texts.notna()) else texts


def is_number_like(texts: pd.Series) -> bool:
    """Tell whether there is nothing but digits, and what may be in a number, in all values that are there."""
    return bool(texts.dropna().str.fullmatch(_LIKE).all())


def is_ambiguous(text: str) -> bool:
    """Tell whether a number with a decimal point can also be read as one with thousands."""
    return re.fullmatch(_ambiguous(POINT), text) is not None


def _matches(texts: pd.Series, pattern: str) -> pd.Series:
    return texts.str.fullmatch(pattern).fillna(False).astype(bool)
