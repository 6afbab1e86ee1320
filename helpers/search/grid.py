"""A grid search with GridSearchCV's results that computes work shared between candidates only once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import BaseCrossValidator, ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel
from threadpoolctl import threadpool_limits

from helpers.search.cv_results import FoldScores, fit_grid_search_cv, fold_scores, mean_scores
from helpers.search.fast_scorers import Scorers, make_scorers
from helpers.search.tasks import Candidate, make_candidate, make_tasks

OnResult = Callable[[int, int, dict, dict], None]


class SearchError(RuntimeError):
    """A combination failed; the message names fold and parameters, the cause is the original error.

    Not a ``ProjectError``: the search imports nothing of the project, so that others can use it.
    """


@dataclass(frozen=True)
class SearchResult:
    """The result of a search; the names are GridSearchCV's.

    Attributes
    ----------
    cv_results_ : dict
        Keys and values of ``GridSearchCV(..., return_train_score=True)``. The time of shared work is divided
        evenly among the combinations that share it.
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
        """Return a combination's scores in every fold, one dict ``train_f1`` ... ``val_f1`` ... per fold."""
        return fold_scores(self.cv_results_, index)

    def mean_scores(self, index: int) -> dict[str, float]:
        """Return a combination's means and deviations over the folds: ``train_f1_mean``, ..."""
        return mean_scores(self.cv_results_, index)


def grid_search(
    pipeline: BaseEstimator,
    param_grid: dict | Sequence[dict],
    X: pd.DataFrame,
    y: pd.Series,
    *,
    cv: int | BaseCrossValidator,
    scoring: str | Sequence[str] | Mapping,
    refit: str | bool,
    n_jobs: int | None = -1,
    on_result: OnResult | None = None,
) -> SearchResult:
    """Try every combination of a grid in every fold, as GridSearchCV does, without repeating shared work.

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
    scorers = make_scorers(pipeline, scoring)
    refit_score = _refit_score(refit, scorers)
    X, y = indexable(X, y)
    params = list(ParameterGrid(param_grid))
    candidates = _make_candidates(pipeline, params, scorers)
    rows = np.arange(len(y))
    folds = check_cv(cv, y, classifier=is_classifier(pipeline))
    splits = [(rows[train], rows[val]) for train, val in folds.split(X, y)]
    work = make_tasks(pipeline, candidates, X, y, splits, scorers)
    scores, probability = _collect(work, params, splits, len(rows), n_jobs, on_result)
    search = fit_grid_search_cv(param_grid, scores, refit_score)
    best = int(search.best_index_)
    return SearchResult(
        cv_results_=search.cv_results_,
        best_index_=best,
        best_params_=search.best_params_,
        best_score_=float(search.best_score_),
        best_estimator_=_refit(pipeline, search.best_params_, X, y, n_jobs),
        oof_probability_=None if np.isnan(probability[best]).all() else probability[best],
    )


def _refit_score(refit: object, scorers: Scorers) -> str:
    """Return the name of the score that the best combination is chosen by."""
    if isinstance(refit, str) and refit in scorers.names:
        return refit
    if scorers.names == ("score",) and (refit is True or isinstance(refit, str)):
        return "score"
    names = ", ".join(scorers.names)
    raise ValueError(
        f"refit must be a score's name ({names}), or True where there is one score, not {refit!r}"
    )


def _make_candidates(pipeline: BaseEstimator, params: Sequence[dict], scorers: Scorers) -> list[Candidate]:
    candidates = []
    for index, combination in enumerate(params):
        try:
            candidates.append(make_candidate(pipeline, index, combination, scorers))
        except ValueError as error:
            raise SearchError(f"combination {combination} cannot be set: {error}") from error
    return candidates


def _collect(
    work: Iterable,
    params: Sequence[dict],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    n_rows: int,
    n_jobs: int | None,
    on_result: OnResult | None,
) -> tuple[list[list[FoldScores]], np.ndarray]:
    """Run the tasks; return scores by combination and fold, and out-of-fold probabilities by combination.

    Raises
    ------
    SearchError
        If a combination fails.
    """
    scores: list[dict[int, FoldScores]] = [{} for _ in params]
    probability = np.full((len(params), n_rows), np.nan)
    # Limit BLAS to one thread: nested parallelism oversubscribes the cores, and a search over logistic
    # regressions takes four times as long.
    with threadpool_limits(1):
        for fold, results in _parallel(n_jobs)(work):
            for result in results:
                index = result.index
                if result.error is not None:
                    where = f"fold {fold + 1} of {len(splits)} failed with {params[index]}"
                    raise SearchError(f"{where}: {result.error}") from result.error
                scores[index][fold] = result.scores
                if result.probability is not None:
                    probability[index, splits[fold][1]] = result.probability
                if on_result is not None:
                    on_result(fold, index, params[index], result.scores.by_dataset())
    return [[row[fold] for fold in range(len(splits))] for row in scores], probability


def _parallel(n_jobs: int | None) -> Parallel:
    """Return a Parallel that yields results as they arrive, or at the end if the backend cannot stream."""
    try:
        return Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    except ValueError:  # multiprocessing, for one
        return Parallel(n_jobs=n_jobs)


def _refit(
    pipeline: BaseEstimator, params: dict, X: pd.DataFrame, y: pd.Series, n_jobs: int | None
) -> BaseEstimator:
    """Fit on all rows. A forest may use every core, in threads: processes take longer to start."""
    estimator = clone(pipeline).set_params(**clone(params, safe=False))
    with joblib.parallel_config(backend="threading", n_jobs=n_jobs), threadpool_limits(1):
        return estimator.fit(X, y)
