"""Everything that comes after a search, tried on a few customers before it: what fails, fails at once."""

import pickle
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from helpers.config import folds
from helpers.errors import SettingError, one_line
from helpers.tracking.safe_format import trusted_types
from helpers.tracking.script_export import pipeline_source
from helpers.training import add_step_prefix, combination_name, without_probabilities

_PER_CLASS = 100  # customers: enough for estimators that cross-validate inside
_PREDICTED = 1000  # customers, most of whom it was not fitted on
_REPEATS = 10  # more trees or rounds have the same types


def check_estimator(pipeline: Pipeline, grid: Mapping[str, list], X: pd.DataFrame, y: pd.Series) -> None:
    """Check that a trained pipeline could be scored, stored, loaded and rebuilt by ``pipeline.py``.

    Fits the first combination, and those that differ from it in one value that is no number: such a value can
    choose another type (``estimator``) or take ``predict_proba`` away (``loss="hinge"``).

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted; it stays so.
    grid : dict
        From `training.make_grid`.
    X : DataFrame of shape (n_train, n_features)
    y : Series of shape (n_train,)
        0 or 1.

    Raises
    ------
    SettingError
        If there is no ``predict_proba`` of two classes, the safe format refuses a type or does not give the
        same probabilities back, or a parameter cannot be pickled or written as Python.
    """
    for params in _variants(grid):
        model = clone(pipeline).set_params(**clone(add_step_prefix(params), safe=False))
        try:
            _check(model, X, y)
        except SettingError as error:
            raise SettingError(f"combination {combination_name(params)}: {error}") from error.__cause__


def _variants(grid: Mapping[str, list]) -> Iterator[dict[str, Any]]:
    first = next(iter(ParameterGrid(dict(grid))))
    yield first
    for key, values in grid.items():
        for value in values[1:]:
            if not (value is None or isinstance(value, int | float | np.number | np.bool)):
                yield {**first, key: value}


def _check(model: Pipeline, X: pd.DataFrame, y: pd.Series) -> None:
    pipeline_source(model, "trial", [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the search gives them
        predicted = X.head(_PREDICTED)
        fitted, probability = _fit(model, X, y, predicted)
        _check_stored(fitted, predicted, probability)


def _fit(
    model: Pipeline, X: pd.DataFrame, y: pd.Series, predicted: pd.DataFrame
) -> tuple[Pipeline, np.ndarray]:
    """Return a fitted copy, and its probabilities of further customers, too: some estimators refuse them.

    What fails on few customers, as more neighbors than rows do, is decided by the search's first fold.
    """
    fewer = {key: _REPEATS for key, value in model.get_params().items() if _repeats(key, value) > _REPEATS}
    few = np.flatnonzero(y.groupby(y).cumcount() < _PER_CLASS)
    fold, _ = next(folds().split(X, y))
    for rows, params in ((few, fewer), (fold, {})):
        try:
            fitted = clone(model).set_params(**params).fit(X.iloc[rows], y.iloc[rows])
            return fitted, _probability(fitted, predicted)
        except SettingError:
            raise
        except Exception as error:
            problem = error
    raise SettingError(f"{_title(model)} cannot be fitted: {one_line(problem)}") from problem


def _repeats(key: str, value: object) -> int:
    return value if key.split("__")[-1] == "n_estimators" and isinstance(value, int) else 0


def _probability(model: Pipeline, X: pd.DataFrame) -> np.ndarray:
    if not hasattr(model, "predict_proba"):
        raise SettingError(without_probabilities(_title(model)))
    if list(getattr(model, "classes_", ())) != [0, 1]:
        raise SettingError(f"{_title(model)} needs the attribute classes_ with 0 and 1 when it is fitted")
    probability = np.asarray(model.predict_proba(X), dtype=float)
    if probability.shape != (len(X), 2) or not np.allclose(probability.sum(axis=1), 1, atol=1e-4):
        raise SettingError(
            f"predict_proba of {_title(model)} must give two columns, P(0) and P(1), that sum to one, not "
            f"shape {probability.shape} with the sums {probability.reshape(len(X), -1).sum(axis=1)[:3]}"
        )
    return probability


def _check_stored(model: Pipeline, X: pd.DataFrame, probability: np.ndarray) -> None:
    types = trusted_types(model)
    try:
        pickle.dumps(model)
        again = skops.io.loads(skops.io.dumps(model), trusted=types).predict_proba(X)
    except Exception as error:
        raise SettingError(f"{_title(model)} cannot be stored and loaded: {one_line(error)}") from error
    if not np.array_equal(again, probability):
        raise SettingError(f"{_title(model)} gives other probabilities when it is loaded again")


def _title(model: Pipeline) -> str:
    return type(model[-1]).__name__
