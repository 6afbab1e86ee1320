"""Validate a customer table: types, ranges and categories, with one error that lists every problem."""

from collections.abc import Collection

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype, is_numeric_dtype

from helpers.data.problems import Problem, bad_values, class_counts, missing_column, no_rows
from helpers.errors import DataError
from helpers.table import TableDescription, current_table

ROW = "row"  # see check


def validate(
    df: pd.DataFrame, *, target: bool = True, tolerate: Collection[str] = (), source: str = "the table"
) -> pd.DataFrame:
    """Check a table and return it in the project's types, or raise one error that lists every problem.

    Parameters
    ----------
    df : DataFrame
        As read by ``loading.read_csv``.
    target : bool
        See `check`.
    tolerate : collection of str
        Kinds of problem to let through, e.g. ``{MISSING_VALUE, UNKNOWN_CATEGORY}`` for a batch to monitor.
    source : str
        What to call the table in the error, e.g. its file name.

    Returns
    -------
    DataFrame
        The known columns, in the table's order, extra ones dropped. Numeric and binary columns are float64
        (an MLflow signature of integers would reject a float later), ``Exited`` int64, categories and
        identifiers str.

    Raises
    ------
    DataError
        If there is any problem that is not tolerated.
    """
    table, problems = check(df, target=target)
    problems = [problem for problem in problems if problem.kind not in tolerate]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DataError("\n  - ".join([f"{source} cannot be used, {count}:", *map(str, problems)]))
    described = current_table()
    table = table[[name for name in described.columns if name in table]]
    outcome = table.get(described.target_name)
    return table if outcome is None or outcome.isna().any() else table.astype({outcome.name: "int64"})


def check(df: pd.DataFrame, *, target: bool = True) -> tuple[pd.DataFrame, list[Problem]]:
    """Cast a table and list everything wrong with it, without raising.

    Parameters
    ----------
    df : DataFrame
        As read by ``loading.read_csv``; row ``i`` of the index is line ``i + 2`` of the file. If rows come
        from no file, name the index `ROW`: messages then show its labels.
    target : bool
        True for a training table: features, outcome, both classes. False for new customers: the features
        are required; identifiers and outcome are checked only where given.

    Returns
    -------
    DataFrame
        In the project's types, with a new index.
    list of Problem
        In the order of the columns; empty if the table is valid.
    """
    lines = df.index
    if lines.name != ROW:
        from_file = is_integer_dtype(lines)
        lines = (lines + 2 if from_file else pd.RangeIndex(2, len(df) + 2)).rename("line")
    df = df.reset_index(drop=True)
    if not len(df):
        return df, [no_rows()]
    table, problems = _to_numbers(df, lines)
    problems += _schema_problems(df, table, lines, target)
    described = current_table()
    outcome = described.target_name
    if target and outcome in table and not any(problem.column == outcome for problem in problems):
        problems += class_counts(table[outcome])
    return table, sorted(problems, key=lambda problem: described.columns.index(problem.column))


def _to_numbers(df: pd.DataFrame, lines: pd.Index) -> tuple[pd.DataFrame, list[Problem]]:
    """Parse numbers and the outcome as float64, the others as str; list what is not a number."""
    described, table, problems = current_table(), df.copy(), []
    numeric = df.columns.intersection([*described.numeric, *described.binary, described.target_name])
    for name in numeric:
        values = _codes(df[name], described) if name == described.target_name else df[name]
        if is_numeric_dtype(values) and not is_bool_dtype(values):
            table[name] = values
            continue
        table[name] = pd.to_numeric(values.astype(object), errors="coerce")
        if name in described.numeric:  # True is no number of years; pandas takes it as 1
            table[name] = table[name].mask(values.map(lambda value: isinstance(value, bool | np.bool_)))
        bad = (values.notna() & table[name].isna()).to_numpy()
        if bad.any():
            problems.append(bad_values(name, "to_numeric", df[name][bad], lines[bad]))
    types = dict.fromkeys(numeric, "float64")
    types |= dict.fromkeys(df.columns.intersection(described.categorical), "str")
    for name in df.columns.intersection(described.identifiers):
        table[name] = as_text(df[name])
    return table.astype(types), problems


def _codes(outcome: pd.Series, described: TableDescription) -> pd.Series:
    """Return the outcome as 0 and 1 where the file has other values for them; no other value is a number."""
    if described.target.is_coded:
        return outcome
    codes = {described.target.negative.value: 0, described.target.positive.value: 1}
    return outcome.map(lambda value: codes.get(str(value), "neither"), na_action="ignore")


def as_text(identifiers: pd.Series) -> pd.Series:
    """Return identifiers as text; whole numbers without a point, however pandas has read them."""
    if is_float_dtype(identifiers) and (identifiers.dropna() % 1 == 0).all():
        identifiers = identifiers.astype("Int64")  # where one is missing, pandas reads all as decimals
    return identifiers.astype("str")


def _schema_problems(df: pd.DataFrame, table: pd.DataFrame, lines: pd.Index, target: bool) -> list[Problem]:
    """List where a table in the project's types breaks the schema; ``df`` is the table as read."""
    try:
        _schema(target).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = error.failure_cases.groupby(["column", "check"], dropna=False, sort=False)
    else:
        return []
    problems, wrong_type = [], df.notna() & table.isna()
    for (column, name), cases in failures:
        if name == "column_in_dataframe":
            problems += [missing_column(missing, df.columns) for missing in cases["failure_case"]]
            continue
        rows = cases["index"].astype("int64")
        rows = rows[~wrong_type[column].to_numpy()[rows]]  # those are already listed
        if name == "field_uniqueness":
            rows = rows[df[column].notna().to_numpy()[rows]]
        if len(rows):
            shown = table if column in current_table().identifiers else df
            problems.append(bad_values(column, name, shown[column].iloc[rows], lines[rows]))
    return problems


def _schema(target: bool) -> pa.DataFrameSchema:
    """Return the pandera schema. It checks no types: they are cast before, and pandera is slow at it."""
    described = current_table()
    required = {*described.feature_names, *([described.target_name] if target else [])}

    def column(name: str) -> pa.Column:
        choices, bounds = described.choices(name), described.bounds(name)
        check = pa.Check.in_range(*bounds) if bounds else pa.Check.isin(choices) if choices else None
        return pa.Column(
            None,
            check,
            nullable=_may_be_missing(name, described, target),
            unique=name == described.key,
            required=name in required,
        )

    return pa.DataFrameSchema({name: column(name) for name in described.columns})


def _may_be_missing(name: str, described: TableDescription, target: bool) -> bool:
    if name in described.features:
        return described.features[name].missing is not None
    return name != described.key and (name != described.target_name or not target)
