"""GridSearchCV's ``cv_results_``: made from precomputed scores, and read by dataset and fold."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

# What this project calls the two parts of a fold, and what GridSearchCV does.
DATASETS = {"train": "train", "val": "test"}


class FoldScores(NamedTuple):
    """One combination's scores by name and times in seconds, in one fold."""

    train: dict[str, float]
    val: dict[str, float]
    fit_time: float
    score_time: float

    def by_dataset(self) -> dict[str, float]:
        """Return the scores as ``train_f1`` ... ``val_f1`` ..."""
        scores = {"train": self.train, "val": self.val}
        return {f"{part}_{name}": float(value) for part in DATASETS for name, value in scores[part].items()}


class _PrecomputedScores(BaseEstimator):
    """Takes the pipeline's place in a GridSearchCV: its n-th fit in a fold is the grid's n-th combination.

    Its table has two rows per fold, one for the training and one for the validation part.
    """

    def __init__(self, scores: Sequence[Sequence[FoldScores]]):
        self.scores = scores
        self.fits: Counter = Counter()

    def __sklearn_clone__(self) -> "_PrecomputedScores":
        return self

    def set_params(self, **params: object) -> "_PrecomputedScores":
        """Accept any combination."""
        return self

    def fit(self, X: np.ndarray, y: None = None) -> "_PrecomputedScores":
        """Move on to the fold's next combination."""
        self.fits[X[0] // 2] += 1
        return self

    def score(self, X: np.ndarray, y: None = None) -> dict[str, float]:
        """Return the combination's scores in the part of the fold that the row stands for."""
        fold, is_val = divmod(X[0], 2)
        scores = self.scores[self.fits[fold] - 1][fold]
        return scores.val if is_val else scores.train


def fit_grid_search_cv(
    param_grid: dict | Sequence[dict], scores: Sequence[Sequence[FoldScores]], refit: str
) -> GridSearchCV:
    """Let GridSearchCV itself make the table of precomputed scores and choose the best combination.

    Parameters
    ----------
    param_grid : dict or sequence of dict
    scores : sequence of shape (n_combinations, n_folds)
    refit : str
        Name of the score that the best combination is chosen by.

    Returns
    -------
    GridSearchCV
        With ``cv_results_``, ``best_index_``, ``best_params_`` and ``best_score_``.
    """
    n_folds = len(scores[0])
    search = GridSearchCV(
        _PrecomputedScores(scores),
        param_grid,
        scoring=_PrecomputedScores.score,
        refit=refit,
        cv=[([2 * fold], [2 * fold + 1]) for fold in range(n_folds)],
        error_score="raise",
        return_train_score=True,
    )
    with joblib.parallel_config(backend="sequential"):
        search.fit(np.arange(2 * n_folds))
    for name in ("fit_time", "score_time"):
        times = np.array([[getattr(each, name) for each in row] for row in scores])
        search.cv_results_ |= {f"mean_{name}": times.mean(axis=1), f"std_{name}": times.std(axis=1)}
    return search


def fold_scores(cv_results: Mapping[str, Any], index: int) -> list[dict[str, float]]:
    """Return a combination's scores in every fold.

    Parameters
    ----------
    cv_results : dict
        Of `SearchResult` or of GridSearchCV with ``return_train_score=True``.
    index : int
        The combination's place in the grid.

    Returns
    -------
    list of dict
        One per fold: ``train_f1`` ... ``val_f1`` ..., by the names of the scores.
    """
    names = _score_names(cv_results)
    folds = itertools.takewhile(lambda fold: f"split{fold}_test_{names[0]}" in cv_results, itertools.count())
    return [
        {
            f"{dataset}_{score}": float(cv_results[f"split{fold}_{key}_{score}"][index])
            for dataset, key in DATASETS.items()
            for score in names
        }
        for fold in folds
    ]


def mean_scores(cv_results: Mapping[str, Any], index: int) -> dict[str, float]:
    """Return a combination's means and deviations over the folds: ``train_f1_mean``, ...."""
    return {
        f"{dataset}_{score}_{statistic}": float(cv_results[f"{statistic}_{key}_{score}"][index])
        for dataset, key in DATASETS.items()
        for score in _score_names(cv_results)
        for statistic in ("mean", "std")
    }


def _score_names(cv_results: Mapping[str, Any]) -> list[str]:
    """Return the names of the scores in the order of ``scoring``."""
    return [key.removeprefix("mean_test_") for key in cv_results if key.startswith("mean_test_")]
