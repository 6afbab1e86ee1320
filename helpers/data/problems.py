"""What can be wrong with a customer table, in words: column, example rows, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

import pandas as pd

from helpers.table import current_table

EXAMPLES = 3  # rows shown per problem

# A stratified 20% hold-out and five folds of the rest need some customers of each class in every part.
MIN_PER_CLASS = 10

MISSING_COLUMN, WRONG_TYPE, MISSING_VALUE = "missing column", "wrong type", "missing value"
OUT_OF_RANGE, UNKNOWN_CATEGORY, MISSPELLED = "out of range", "unknown category", "misspelled category"
DUPLICATE, TOO_FEW, NO_ROWS = "duplicate", "too few of a class", "no rows"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one column."""

    column: str
    kind: str  # one of the constants above
    rows: int  # how many rows have it
    text: str  # what is wrong, example rows, what to do
    what: str = ""  # what is wrong with each row
    values: pd.Series | None = field(default=None, compare=False, repr=False)  # the rows' values, by line

    def __str__(self) -> str:
        return f"{self.column}: {self.text}"

    def reasons(self) -> pd.Series:
        """Return by line what is wrong with each row: ``Age: outside 18 to 100 ('5')``."""
        if self.values is None:
            return pd.Series(dtype="str")
        return self.values.map(lambda value: f"{self.column}: {self.what}{self._shown(value)}")

    def _shown(self, value: object) -> str:
        return "" if self.kind == MISSING_VALUE else f" ({str(value)[:40]!r})"


def rows_are(count: int) -> str:
    """Return the subject of a sentence about rows: ``1 row is``, ``7 rows are``."""
    return "1 row is" if count == 1 else f"{count} rows are"


def no_rows() -> Problem:
    """Describe a table that is only a header."""
    text = "there are no rows below the header. Give at least one customer."
    return Problem("table", NO_ROWS, 0, text)


def missing_column(name: str, columns: Iterable[str]) -> Problem:
    """Describe a missing column; suggest renaming the one in ``columns`` that looks like it."""
    spellings = {column.strip().lower(): column for column in map(str, columns)}
    match = get_close_matches(name.lower(), spellings, n=1, cutoff=0.8)
    hint = f"rename {spellings[match[0]]!r} to it" if match else "add it, spelled exactly like this"
    return Problem(name, MISSING_COLUMN, 0, f"the column is missing: {hint}.")


def bad_values(column: str, check: str, values: pd.Series, lines: pd.Index) -> Problem:
    """Describe the values of one column that failed a check.

    Parameters
    ----------
    column : str
    check : str
        The name of pandera's check, ``to_numeric``, or ``spelling`` for one of the choices but for `alike`.
    values : Series
        Only the values that failed.
    lines : Index
        Where they are; its name says in what, e.g. ``line``.
    """
    described = current_table()
    choices, bounds = described.named_choices(column), described.bounds(column)
    todo = "Correct or remove the rows."
    if check == "not_nullable":
        kind, what, todo = MISSING_VALUE, "without a value", "Fill in or remove the rows."
    elif check == "field_uniqueness":
        kind, what, todo = DUPLICATE, "duplicates", "Keep one row per customer."
    elif choices:
        kind = UNKNOWN_CATEGORY if column in described.categorical else OUT_OF_RANGE
        kind = {"to_numeric": WRONG_TYPE, "spelling": MISSPELLED}.get(check, kind)
        what = "not one of " + ", ".join(map(str, choices))
        if meant := sorted({choice for value in values for choice in alike(column, value)}):
            todo = f"Did you mean {' or '.join(meant)}? Only case or blanks differ."
        elif kind == UNKNOWN_CATEGORY:
            todo = "Correct or remove the rows, or add the value to those in the table's description."
    elif bounds and check != "to_numeric":
        kind, what = OUT_OF_RANGE, "outside {:g} to {:g}".format(*bounds)
    else:
        kind, what = WRONG_TYPE, "not a number"
        todo = "Write plain numbers: a point for decimals, nothing between thousands."
    examples = [
        f"{lines.name} {line}" + (f": {str(value)[:40]!r}" if kind != MISSING_VALUE else "")
        for line, value in zip(lines[:EXAMPLES], values[:EXAMPLES], strict=True)
    ]
    examples += ["..."] if len(values) > EXAMPLES else []
    text = f"{rows_are(len(values))} {what} ({', '.join(examples)}). {todo}"
    return Problem(column, kind, len(values), text, what, values.set_axis(lines))


def alike(column: str, value: object) -> list[str]:
    """Return those of a column's choices that differ from a value in case and blanks only."""
    essence = "".join(str(value).casefold().split())
    choices = current_table().named_choices(column)
    return [choice for choice in choices if choice != value and "".join(choice.casefold().split()) == essence]


def class_counts(counts: pd.Series) -> list[Problem]:
    """Describe a training table with too few customers of a class, given how many have each outcome."""
    counts = counts.reindex([0, 1], fill_value=0).astype("int64")
    if counts.min() >= MIN_PER_CLASS:
        return []
    target = current_table().target
    negative, positive = (f"{each.label} ({each.value})" for each in (target.negative, target.positive))
    text = (
        f"{counts[0]} customers {negative} and {counts[1]} {positive}; a hold-out and five folds need at "
        f"least {MIN_PER_CLASS} of each. Add customers of the rarer class."
    )
    return [Problem(target.column, TOO_FEW, int(counts.min()), text)]
