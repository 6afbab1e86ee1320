"""What a small table cannot take, found before the search: too few of a class, too many neighbors."""

import json

import pandas as pd

from helpers.config import FOLDS, folds
from helpers.errors import DataError, SettingError
from helpers.training.algorithms import algorithm


def check_table_size(name: str, grid: dict[str, list], y: pd.Series) -> None:
    """Check that five folds of a training part can take every combination of a grid.

    Parameters
    ----------
    name : str
        Of an algorithm.
    grid : dict
        From `make_grid`.
    y : Series of shape (n_train,)
        The outcomes of the training part.

    Raises
    ------
    DataError
        If a class has fewer customers than there are folds.
    SettingError
        If more neighbors are asked for than the smallest training fold has customers; the message says how
        many fit.
    """
    rarer = int(y.value_counts().reindex([0, 1], fill_value=0).min())
    if rarer < FOLDS:
        raise DataError(
            f"the training part has {rarer} customers of the rarer class: {FOLDS} folds need at least "
            f"{FOLDS}. Add customers of that class."
        )
    largest = min(len(train) for train, _ in folds().split(y, y))
    default = algorithm(name).estimator.get_params().get("n_neighbors")
    neighbors = grid.get("n_neighbors", [] if default is None else [default])
    too_many = [k for k in neighbors if isinstance(k, int) and k > largest]
    if too_many:
        fitting = [k for k in neighbors if k not in too_many] or [largest]
        raise SettingError(
            f"n_neighbors of {', '.join(map(str, too_many))}: the smallest of the {FOLDS} training folds has "
            f"{largest} customers, so {largest} is the largest that fits. Use a larger table, or the grid "
            f"{json.dumps({**grid, 'n_neighbors': fitting}, default=str)}."
        )
