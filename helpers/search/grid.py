"""A grid search with GridSearchCV's figures that does the work which combinations share only once."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import BaseCrossValidator, GridSearchCV, ParameterGrid, check_cv
from sklearn.utils.parallel import Parallel
from threadpoolctl import threadpool_limits

from helpers.search.tasks import make_candidate, tasks

# What this project calls the two parts of a fold, and what GridSearchCV does.
DATASETS = {"train": "train", "val": "test"}


class SearchError(RuntimeError):
    """A combination failed; the message names fold and parameters, the cause is the original error."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found; the names are GridSearchCV's.

    Attributes
    ----------
    cv_results_ : dict
        Keys and values of ``GridSearchCV(..., return_train_score=True)``. Times of shared work are spread
        evenly over those who share it.
    best_index_ : int
    best_params_ : dict
    best_score_ : float
    best_estimator_ : estimator
        Fitted on all rows with the best parameters.
    oof_probability_ : ndarray of shape (n_rows,) or None
        P(second class) of each row from the best combination, fitted without the row's fold; NaN for a row
        in no validation part. None without ``predict_proba`` or with other than two classes.
    """

    cv_results_: dict
    best_index_: int
    best_params_: dict
    best_score_: float
    best_estimator_: BaseEstimator
    oof_probability_: np.ndarray | None

    def fold_scores(self, index: int) -> list[dict[str, float]]:
        """Return a combination's scores in every fold, see `fold_scores`."""
        return fold_scores(self.cv_results_, index)

    def mean_scores(self, index: int) -> dict[str, float]:
        """Return a combination's means and deviations over the folds: ``train_f1_mean``, ..."""
        return {
            f"{dataset}_{score}_{statistic}": float(self.cv_results_[f"{statistic}_{key}_{score}"][index])
            for dataset, key in DATASETS.items()
            for score in _score_names(self.cv_results_)
            for statistic in ("mean", "std")
        }


def fold_scores(cv_results: Mapping, index: int) -> list[dict[str, float]]:
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


def _score_names(cv_results: Mapping) -> list[str]:
    """Return the names of the scores in the order of ``scoring``."""
    return [key.removeprefix("mean_test_") for key in cv_results if key.startswith("mean_test_")]


def grid_search(
    pipeline: BaseEstimator,
    param_grid: dict | Sequence[dict],
    X: pd.DataFrame,
    y: pd.Series,
    *,
    cv: int | BaseCrossValidator,
    scoring: str | Sequence[str] | dict,
    refit: str | bool,
    n_jobs: int | None = -1,
    on_result: Callable[[int, int, dict, dict], None] | None = None,
) -> SearchResult:
    """Try every combination of a grid in every fold, as GridSearchCV does, sharing what is common.

    Parameters
    ----------
    pipeline : Pipeline or estimator
    param_grid, cv, scoring, n_jobs
        As for `sklearn.model_selection.GridSearchCV`.
    refit : str or True
        The score that the best combination is chosen by; True where ``scoring`` is a single one.
    X : DataFrame of shape (n_rows, n_features)
    y : Series of shape (n_rows,)
    on_result : callable, optional
        Called in the calling thread as results arrive, in any order, with fold (from 0), index of the
        combination, its parameters and its scores ``{"train_f1": ..., "val_f1": ..., ...}``.

    Returns
    -------
    SearchResult

    Raises
    ------
    SearchError
        If a combination fails; nothing is skipped.
    ValueError
        If ``refit`` is neither; GridSearchCV's False and callables have no use here.
    """
    if not refit or callable(refit):
        raise ValueError(f"refit must be a score's name, or True where there is one score, not {refit!r}")
    # GridSearchCV itself resolves the scorers, makes the table of results and chooses the best.
    own = GridSearchCV(
        pipeline, param_grid, scoring=scoring, refit=refit, error_score="raise", return_train_score=True
    )
    scorers, refit_metric = own._get_scorers()
    params = list(ParameterGrid(param_grid))
    candidates = []
    for index, chosen in enumerate(params):
        try:
            candidates.append(make_candidate(pipeline, index, chosen))
        except ValueError as error:
            raise SearchError(f"combination {chosen} cannot be set: {error}") from error
    splits = list(check_cv(cv, y, classifier=is_classifier(pipeline)).split(X, y))
    figures = [[None] * len(splits) for _ in params]
    oof = np.full((len(params), len(X)), np.nan)
    try:
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    except ValueError:  # a backend that cannot stream, such as multiprocessing: all results come at the end
        parallel = Parallel(n_jobs=n_jobs)
    # The cores belong to the combinations: linear algebra with threads of its own fights over them, and a
    # search over logistic regressions takes four times as long.
    with threadpool_limits(1):
        for fold, outcomes in parallel(tasks(pipeline, candidates, X, y, splits, scorers)):
            for outcome in outcomes:
                index = outcome.index
                if outcome.error is not None:
                    where = f"fold {fold + 1} of {len(splits)} failed with {params[index]}"
                    raise SearchError(f"{where}: {outcome.error}") from outcome.error
                figures[index][fold] = outcome.figures
                if outcome.probability is not None:
                    oof[index, splits[fold][1]] = outcome.probability
                if on_result is not None:
                    on_result(fold, index, params[index], _flat(outcome.figures))
    results = own._format_results(params, len(splits), [each for row in figures for each in row])
    best = int(own._select_best_index(refit, refit_metric, results))
    estimator = clone(pipeline).set_params(**clone(params[best], safe=False))
    # A forest's refit may use every core; threads, because processes take longer to start than that.
    with joblib.parallel_config(backend="threading", n_jobs=n_jobs), threadpool_limits(1):
        estimator.fit(X, y)
    probability = oof[best]
    return SearchResult(
        cv_results_=results,
        best_index_=best,
        best_params_=params[best],
        best_score_=float(results[f"mean_test_{refit_metric}"][best]),
        best_estimator_=estimator,
        oof_probability_=None if np.isnan(probability).all() else probability,
    )


def _flat(figures: dict) -> dict[str, float]:
    """Return a result's scores by name: ``train_f1``, ``val_f1`` and so on."""
    flat = {}
    for side, name in (("train", "train_scores"), ("val", "test_scores")):
        scores = figures[name] if isinstance(figures[name], dict) else {"score": figures[name]}
        flat |= {f"{side}_{key}": float(value) for key, value in scores.items()}
    return flat
