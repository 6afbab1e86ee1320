"""What a customer table must look like, and one clear error that lists everything wrong with it."""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

import pandas as pd
import pandera.pandas as pa

from helpers.config import BINARY, CATEGORICAL, FEATURES, NUMERIC, TARGET
from helpers.errors import DataError

# The one place for what is plausible: closed ranges in the table's units, known categories, whole codes.
RANGES = {
    "CreditScore": (300, 900),  # points
    "Age": (18, 100),  # years
    "Tenure": (0, 60),  # years with the bank
    "Balance": (0, 1e8),  # euros
    "EstimatedSalary": (0, 1e8),  # euros a year
}
CHOICES = {
    "NumOfProducts": [1, 2, 3, 4],
    "Geography": ["France", "Germany", "Spain"],
    "Gender": ["Female", "Male"],
    "HasCrCard": [0, 1],
    "IsActiveMember": [0, 1],
    TARGET: [0, 1],
}
COLUMNS = ["RowNumber", "CustomerId", "Surname", "CreditScore", "Geography", "Gender", "Age", "Tenure"]
COLUMNS += ["Balance", "NumOfProducts", "HasCrCard", "IsActiveMember", "EstimatedSalary", TARGET]
NUMBERS = [*NUMERIC, *BINARY, TARGET]

EXAMPLES = 3  # rows shown per problem
ROW = "row"  # see problems

# A stratified 20 % hold-out and five folds of the rest need some of each class everywhere.
MIN_PER_CLASS = 10

MISSING_COLUMN, WRONG_TYPE, MISSING_VALUE = "missing column", "wrong type", "missing value"
OUT_OF_RANGE, UNKNOWN_CATEGORY = "out of range", "unknown category"
DUPLICATE, TOO_FEW, NO_ROWS = "duplicate", "too few of a class", "no rows"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one column."""

    column: str
    kind: str  # one of the constants above
    rows: int  # how many rows have it
    text: str  # what is wrong, example rows, what to do

    def __str__(self) -> str:
        return f"{self.column}: {self.text}"


def problems(df: pd.DataFrame, *, target: bool = True) -> list[Problem]:
    """List everything wrong with a table, without raising.

    Parameters
    ----------
    df : DataFrame
        As read by ``data.read_csv``; row ``i`` of the index is line ``i + 2`` of the file. Rows that come
        from no file are called by their label in an index with the name `ROW`.
    target : bool
        True for a training table: all 14 columns, both classes. False for new customers: the ten features
        are required; the identifiers and the outcome are checked only where given.

    Returns
    -------
    list of Problem
        In the order of the columns; empty when the table is fine.
    """
    return _check(df, target)[1]


def _check(df: pd.DataFrame, target: bool) -> tuple[pd.DataFrame, list[Problem]]:
    """Return a table in the project's types, without its index, and everything wrong with it."""
    lines = df.index
    if lines.name != ROW:
        whole = pd.api.types.is_integer_dtype(lines)
        lines = (lines + 2 if whole else pd.RangeIndex(2, len(df) + 2)).rename("line")
    df = df.reset_index(drop=True)
    if not len(df):
        nobody = "there are no rows below the header. Give at least one customer."
        return df, [Problem("table", NO_ROWS, 0, nobody)]
    numbers, found = _to_numbers(df, lines)
    try:
        _schema(target).validate(numbers, lazy=True)
    except pa.errors.SchemaErrors as error:
        wrong_type = df.notna() & numbers.isna()
        for (column, check), cases in error.failure_cases.groupby(
            ["column", "check"], dropna=False, sort=False
        ):
            if check == "column_in_dataframe":
                found += [_missing_column(name, df.columns) for name in cases["failure_case"]]
                continue
            at = cases["index"].astype("int64")
            at = at[~wrong_type[column].to_numpy()[at]]  # those are already listed
            if check == "field_uniqueness":
                at = at[df[column].notna().to_numpy()[at]]
            if len(at):
                found.append(_bad_values(column, check, df[column].iloc[at], lines[at]))
    if target and TARGET in numbers and not any(problem.column == TARGET for problem in found):
        found += _class_counts(numbers[TARGET])
    return numbers, sorted(found, key=lambda problem: COLUMNS.index(problem.column))


def validate(
    df: pd.DataFrame, *, target: bool = True, tolerate: Collection[str] = (), source: str = "the table"
) -> pd.DataFrame:
    """Check a table and return it in the project's types, or raise one error that lists every problem.

    Parameters
    ----------
    df : DataFrame
        As read by ``data.read_csv``.
    target : bool
        See `problems`.
    tolerate : collection of str
        Kinds of problem that are let through, e.g. ``{MISSING_VALUE, UNKNOWN_CATEGORY}`` for a batch that
        is to be looked at rather than scored.
    source : str
        What to call the table in the error, e.g. its file name.

    Returns
    -------
    DataFrame
        The known columns, in the table's order, extra ones dropped. Numeric and binary columns are float64
        (an MLflow signature of whole numbers would refuse a float later), ``Exited`` int64, categories str.

    Raises
    ------
    DataError
        If there is any problem that is not tolerated.
    """
    numbers, found = _check(df, target)
    found = [problem for problem in found if problem.kind not in tolerate]
    if found:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise DataError("\n  - ".join([f"{source} cannot be used, {count}:", *map(str, found)]))
    known = numbers[[name for name in COLUMNS if name in numbers]]
    return known.astype({TARGET: "int64"}) if TARGET in known and known[TARGET].notna().all() else known


def rows_are(count: int) -> str:
    """Return the subject of a message about rows: ``1 row is``, ``7 rows are``."""
    return "1 row is" if count == 1 else f"{count} rows are"


def _schema(target: bool) -> pa.DataFrameSchema:
    """Return the pandera schema. It checks no types: those are made before, and pandera is slow at it."""
    required = COLUMNS if target else FEATURES

    def column(name: str) -> pa.Column:
        check = pa.Check.in_range(*RANGES[name]) if name in RANGES else None
        check = pa.Check.isin(CHOICES[name]) if name in CHOICES else check
        return pa.Column(
            None,
            check,
            nullable=name in ("RowNumber", "Surname") or (name == TARGET and not target),
            unique=name == "CustomerId",
            required=name in required,
        )

    return pa.DataFrameSchema({name: column(name) for name in COLUMNS})


def _to_numbers(df: pd.DataFrame, lines: pd.Index) -> tuple[pd.DataFrame, list[Problem]]:
    """Parse the numeric columns as float64 and the categories as str; list what is not a number."""
    types = dict.fromkeys(df.columns.intersection(NUMBERS), "float64")
    types |= dict.fromkeys(df.columns.intersection(CATEGORICAL), "str")
    parsed, found = df.copy(), []
    for name in types:
        if types[name] == "str" or pd.api.types.is_numeric_dtype(df[name]):
            continue
        parsed[name] = pd.to_numeric(df[name], errors="coerce")
        bad = (df[name].notna() & parsed[name].isna()).to_numpy()
        if bad.any():
            found.append(_bad_values(name, "to_numeric", df[name][bad], lines[bad]))
    return parsed.astype(types), found


def _missing_column(name: str, columns: pd.Index) -> Problem:
    close = {column.strip().lower(): column for column in map(str, columns)}
    match = get_close_matches(name.lower(), close, n=1, cutoff=0.8)
    hint = f"rename {close[match[0]]!r} to it" if match else "add it, spelled exactly like this"
    return Problem(name, MISSING_COLUMN, 0, f"the column is missing: {hint}.")


def _bad_values(column: str, check: str, values: pd.Series, lines: pd.Index) -> Problem:
    """Describe the values of one column that failed one of pandera's checks, or ``to_numeric``."""
    todo = "Correct or remove the rows."
    if check == "not_nullable":
        kind, what, todo = MISSING_VALUE, "without a value", "Fill in or remove the rows."
    elif check == "field_uniqueness":
        kind, what, todo = DUPLICATE, "not the only one of the customer", "Keep one row per customer."
    elif column in RANGES and check != "to_numeric":
        kind, what = OUT_OF_RANGE, "outside {:g} to {:g}".format(*RANGES[column])
    elif column in CHOICES:
        kind = (
            WRONG_TYPE
            if check == "to_numeric"
            else UNKNOWN_CATEGORY
            if column in CATEGORICAL
            else OUT_OF_RANGE
        )
        what = f"not one of {', '.join(map(str, CHOICES[column]))}"
    else:
        kind, what = WRONG_TYPE, "not a number"
        todo = "Write plain numbers: a point for decimals, nothing between thousands."
    shown = [
        f"{lines.name} {line}" + (f": {str(value)[:40]!r}" if kind != MISSING_VALUE else "")
        for line, value in zip(lines[:EXAMPLES], values[:EXAMPLES], strict=True)
    ]
    examples = ", ".join(shown) + (", ..." if len(values) > EXAMPLES else "")
    return Problem(column, kind, len(values), f"{rows_are(len(values))} {what} ({examples}). {todo}")


def _class_counts(outcome: pd.Series) -> list[Problem]:
    counts = outcome.value_counts().reindex([0, 1], fill_value=0)
    if counts.min() >= MIN_PER_CLASS:
        return []
    text = (
        f"{counts[0]} customers stayed (0) and {counts[1]} left (1); a hold-out and five folds need at least "
        f"{MIN_PER_CLASS} of each. Add customers of the rarer class."
    )
    return [Problem(TARGET, TOO_FEW, int(counts.min()), text)]
