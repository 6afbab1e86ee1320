"""Which column of an unknown table may be the outcome, and which of its values means what."""

import re
from difflib import get_close_matches
from typing import NamedTuple

from helpers.data.guessing import Column, words
from helpers.errors import DataError, SettingError

# From the surest name to the least sure one.
_NAMES = [
    re.compile(r"\b(churn\w*|exit(ed)?|attrition|attrited)\b"),
    re.compile(r"\b(target|label|outcome|y|class|response)\b"),
    re.compile(r"\b(default\w*|left|cancell?ed|closed|lost|gone|quit|status)\b"),
]
_CHURN = re.compile(r"\b(churn\w*|exit(ed)?|attrition|attrited|left|cancell?ed|closed|lost|gone|quit)\b")
_NO = re.compile(r"\b(0|no|not|non|n|false|f|nein|retained|stayed|existing|active|loyal|good|negative)\b")
_YES = re.compile(
    r"\b(1|yes|y|true|t|j|ja|churn\w*|exited|left|attrited|cancell?ed|closed|lost|gone|quit|default\w*|bad|positive)\b"
)
_PLAIN = re.compile(r"0|1|yes|no|y|n|true|false|t|f|j|ja|nein")


class GuessedTarget(NamedTuple):
    """The outcome, with its values as written in the file, and what to call them."""

    column: Column
    negative: tuple[str, str]
    positive: tuple[str, str]
    remarks: list[str]


def guess_target(columns: list[Column], source: str, name: str | None) -> GuessedTarget:
    """Return the column to predict: the one that is named, else a guess, marked as such.

    Raises
    ------
    SettingError
        If the named column does not exist.
    DataError
        If it has other than two values, or no column has two.
    """
    if name is not None:
        column, remarks = _named(columns, source, name), []
    else:
        column = _likeliest(columns, source)
        remarks = ["check: is it the outcome?"]
    if column.missing:
        remarks.append(f"check: {column.missing:,} rows have none: fill in or remove them")
    values = _outcomes(column)
    meanings = [_meaning(value) for value in values]
    if meanings[0] == meanings[1]:
        remarks.append("check: which value is positive? The rarer one is taken")
        meanings = [-int(column.counts[value]) for value in values]
    negative, positive = values if meanings[0] < meanings[1] else values[::-1]
    no, yes = f"not {column.name}", column.name
    if _CHURN.search(words(column.name)):
        no, yes = "retained", "churned"
    return GuessedTarget(column, (negative, _label(negative, no)), (positive, _label(positive, yes)), remarks)


def _outcomes(column: Column) -> list[str]:
    """Return the values as a description names them: numbers of 0 and 1 may be written 1.0."""
    return ["0", "1"] if column.is_coded else column.values


def _named(columns: list[Column], source: str, name: str) -> Column:
    by_name = {column.name: column for column in columns}
    if name not in by_name:
        near = get_close_matches(name, by_name, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(by_name)}"
        raise SettingError(f"--target: {source} has no column {name!r}; {hint}")
    if (found := len(_outcomes(by_name[name]))) != 2:
        raise DataError(
            f"{source}: the target {name!r} must have exactly two values, such as 0 and 1, not {found:,}. "
            "Name another column with --target, or correct its values."
        )
    return by_name[name]


def _likeliest(columns: list[Column], source: str) -> Column:
    two_valued = [column for column in columns if len(_outcomes(column)) == 2]
    if not two_valued:
        raise DataError(
            f"{source}: no column has exactly two values, as the outcome must have (0 and 1, or Yes and No). "
            "Add or correct it; then name it with --target if it is not recognized."
        )
    for pattern in _NAMES:
        if named := [column for column in two_valued if pattern.search(words(column.name))]:
            return named[-1]
    return two_valued[-1]


def _meaning(value: str) -> int:
    """Return -1 for a value that says no, 1 for one that says yes, else 0."""
    return -1 if _NO.search(words(value)) else int(bool(_YES.search(words(value))))


def _label(value: str, otherwise: str) -> str:
    return otherwise if _PLAIN.fullmatch(value.strip().lower()) else value
