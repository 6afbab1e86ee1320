"""Find the customers' table, read it, validate it, split it."""

import os
import warnings
from collections.abc import Collection
from typing import NamedTuple

import pandas as pd
from sklearn.model_selection import train_test_split

from helpers.config import SEED, TEST_SIZE
from helpers.data.paths import data_path, source_name
from helpers.data.reading import read_checked
from helpers.data.schema import refuse, with_whole_outcome
from helpers.errors import DataWarning
from helpers.table import current_table


class Split(NamedTuple):
    """The training part and the hold-out; ``X_*`` have ``TableDescription.feature_names`` as columns."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def load(
    data: str | os.PathLike | None = None, *, target: bool = True, tolerate: Collection[str] = ()
) -> pd.DataFrame:
    """Find, read, check and cast the customers.

    Parameters
    ----------
    data : path, optional
        See ``paths.data_path``.
    target, tolerate
        See ``schema.validate``.

    Returns
    -------
    DataFrame
        See ``schema.validate``; the index tells each row's place in the file, see ``schema.places``.
        ``attrs`` has ``source``, what to call the file in the captions of plots; and where the file is not
        written as the project writes its own, ``assumed`` and ``script``, see ``reading.TableReader``.

    Raises
    ------
    DataError
        If the file cannot be used; one message lists every problem.
    """
    path = data_path(data)
    table, problems = read_checked(path, target=target)
    refuse(problems, tolerate, path.name)
    table = with_whole_outcome(table)
    if target and (key := current_table().key) and key not in table:
        warnings.warn(
            f"{path.name} has no {key}: duplicate customers cannot be found.", DataWarning, stacklevel=2
        )
    table.attrs["source"] = source_name(path)
    return table


def split(df: pd.DataFrame) -> Split:
    """Split a validated table: 80% to train on, 20% held out, stratified, the same every time."""
    described = current_table()
    X, y = df[described.feature_names], df[described.target_name]
    return Split(*train_test_split(X, y, test_size=TEST_SIZE, stratify=y, random_state=SEED))
