"""A file of new customers in two parts: sound rows, and rows to set aside with every reason."""

import os
from collections.abc import Iterable

import pandas as pd

from helpers.data.loading import read_checked
from helpers.data.paths import data_path, source_name
from helpers.data.problems import Problem
from helpers.data.schema import places
from helpers.data.validation import refuse, with_whole_outcome


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
        By line or row of the file, what is wrong with each other row: every reason.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or no row is sound; as from ``loading.load``.
    """
    path = data_path(data)
    table, problems = read_checked(path, target=False)
    reasons = _by_place(problems)
    sound = ~places(table.index).isin(reasons.index)
    if not sound.any() or any(problem.values is None for problem in problems):
        refuse(problems, source=path.name)
    customers = with_whole_outcome(table[sound])
    customers.attrs["source"] = source_name(path)
    return customers, reasons


def _by_place(problems: Iterable[Problem]) -> pd.Series:
    """Join every row's problems, in the order of the columns."""
    reasons = pd.concat([pd.Series(dtype="str"), *(problem.reasons() for problem in problems)])
    return reasons.groupby(level=0).agg("; ".join).rename_axis("line")
