"""Find the customers' table, read it, validate it, split it."""

import os
import warnings
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from helpers.config import SEED, TEST_SIZE
from helpers.data.paths import data_path, source_name
from helpers.data.problems import Problem
from helpers.data.raw_files import RawFile
from helpers.data.reading import TableReader, tell
from helpers.data.validation import Validation, refuse, with_whole_outcome
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
        See ``validation.validate``.

    Returns
    -------
    DataFrame
        See ``validation.validate``; the index tells each row's place in the file, see ``schema.places``.
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


def read_checked(path: Path, *, target: bool = True) -> tuple[pd.DataFrame, list[Problem]]:
    """Read and check a file; what was assumed of it is told in a warning.

    Parameters
    ----------
    path : Path
    target : bool
        See `validation.Validation`.

    Returns
    -------
    DataFrame
        See `validation.Validation`; ``attrs`` has ``assumed`` and ``script`` of `reading.TableReader`, unless
        they are empty.
    list of Problem
        Everything that is wrong with the rows.

    Raises
    ------
    DataError
        See `reading.TableReader`; nothing of a broken file is returned.
    """
    reader = TableReader(RawFile(path.name, path))
    validation = Validation(target, reader.names)
    table = _join(map(validation.add, reader.chunks()))
    tell(path.name, reader.assumed)
    found = {"assumed": reader.assumed, "script": reader.script}
    table.attrs.update({name: value for name, value in found.items() if value})
    return table, validation.problems()


def _join(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return validated parts as one table; hardly more memory is needed than for the table."""
    numbers: dict[str, array] = defaultdict(lambda: array("d"))  # grows in place
    texts: dict[str, list[pd.Series]] = defaultdict(list)
    index: list[pd.Index] = []
    for part in parts:
        index.append(part.index)
        for name in map(str, part):
            if part[name].dtype == "float64":
                numbers[name].frombytes(part[name].to_numpy().tobytes())
            else:
                texts[name].append(part[name])
    columns = {name: pd.Series(np.frombuffer(values), copy=False) for name, values in numbers.items()}
    columns |= {name: pd.concat(values, ignore_index=True) for name, values in texts.items()}
    table = pd.DataFrame({name: columns[name] for name in map(str, part)}, copy=False)
    return table.set_axis(index[0].append(index[1:]) if len(index) > 1 else index[0])
