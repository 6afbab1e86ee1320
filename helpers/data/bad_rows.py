"""A file of new customers in two parts: sound rows, and rows to set aside with every reason."""

import os
from collections.abc import Iterable

import pandas as pd

from helpers.data.loading import read_csv
from helpers.data.paths import data_path, source_name
from helpers.data.problems import Problem
from helpers.data.schema import check, validate


def load_sound(data: str | os.PathLike | None = None) -> tuple[pd.DataFrame, pd.Series]:
    """Read new customers and set aside the rows that break the schema.

    Parameters
    ----------
    data : path, optional
        See ``paths.data_path``.

    Returns
    -------
    DataFrame
        The sound rows, as from ``loading.load(data, target=False)``.
    Series of str
        By line of the file, what is wrong with each other row: every reason.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or no row is sound; as from ``loading.load``.
    """
    path = data_path(data)
    table = read_csv(path)
    problems = check(table, target=False)[1]
    reasons = _by_line(problems)
    sound = ~(table.index + 2).isin(reasons.index)
    if not sound.any() or any(problem.values is None for problem in problems):
        validate(table, target=False, source=path.name)
    table = table[sound]
    customers = validate(table, target=False, source=path.name).set_index(table.index)
    customers.attrs["source"] = source_name(path)
    return customers, reasons


def _by_line(problems: Iterable[Problem]) -> pd.Series:
    """Join every row's problems, in the order of the columns."""
    reasons = pd.concat([pd.Series(dtype="str"), *(problem.reasons() for problem in problems)])
    return reasons.groupby(level=0).agg("; ".join).rename_axis("line")
