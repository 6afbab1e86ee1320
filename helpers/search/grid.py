"""A grid search with GridSearchCV's results that computes work shared between candidates only once."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import BaseCrossValidator, ParameterGrid, check_cv
from sklearn.utils import indexable
from threadpoolctl import threadpool_limits

from helpers.search.candidates import Candidate, make_candidate
from helpers.search.cv_results import FoldScores, fit_grid_search_cv, fold_scores, mean_scores
from helpers.search.fast_scorers import Scorers, make_scorers
from helpers.search.precomputed import copied
from helpers.search.tasks import fit, make_tasks
from helpers.search.threads import guard

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
    # The names of a callable's scores are known when it has scored: with the first result.
    _refit_score(refit, scorers.names or ["score"])
    X, y = indexable(X, y)
    params = list(ParameterGrid(param_grid))
    candidates = _make_candidates(pipeline, params, scorers)
    rows = np.arange(X.shape[0] if hasattr(X, "shape") else len(X))
    folds = check_cv(cv, y, classifier=is_classifier(pipeline))
    splits = [(rows[train], rows[val]) for train, val in folds.split(X, y)]
    work = make_tasks(candidates, X, y, splits, scorers)
    scores, probability = _collect(work, params, splits, len(rows), n_jobs, on_result, refit)
    search = fit_grid_search_cv(param_grid, scores, _refit_score(refit, list(scores[0][0].val)))
    best = int(search.best_index_)
    return SearchResult(
        cv_results_=search.cv_results_,
        best_index_=best,
        best_params_=search.best_params_,
        best_score_=float(search.best_score_),
        best_estimator_=_refit(candidates[best], X, y, n_jobs),
        oof_probability_=None if np.isnan(probability[best]).all() else probability[best],
    )


def _refit_score(refit: object, names: Sequence[str]) -> str:
    """Return the name of the score that the best combination is chosen by."""
    if isinstance(refit, str) and refit in names:
        return refit
    if list(names) == ["score"] and (refit is True or isinstance(refit, str)):
        return "score"
    raise ValueError(
        f"refit must be a score's name ({', '.join(names)}), or True where there is one score, not {refit!r}"
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
    refit: object,
) -> tuple[list[list[FoldScores]], np.ndarray]:
    """Run the tasks; return scores by combination and fold, and out-of-fold probabilities by combination.

    Raises
    ------
    SearchError
        If a combination fails.
    ValueError
        If a callable scorer does not return the score ``refit``.
    """
    scores: list[dict[int, FoldScores]] = [{} for _ in params]
    probability = np.full((len(params), n_rows), np.nan)
    # Limit BLAS to one thread: nested parallelism oversubscribes the cores, and a search over logistic
    # regressions takes four times as long.
    # Estimators that change warning filters in several threads leave them changed; so does the refit.
    with threadpool_limits(1), warnings.catch_warnings():
        for fold, results in _parallel(n_jobs)(work):
            for result in results:
                index = result.index
                if result.error is not None:
                    where = f"fold {fold + 1} of {len(splits)} failed with {params[index]}"
                    raise SearchError(f"{where}: {result.error}") from result.error
                _refit_score(refit, list(result.scores.val))
                scores[index][fold] = result.scores
                if result.probability is not None:
                    probability[index, splits[fold][1]] = result.probability
                if on_result is not None:
                    on_result(fold, index, params[index], result.scores.by_dataset())
    return [[row[fold] for fold in range(len(splits))] for row in scores], probability


def _parallel(n_jobs: int | None) -> joblib.Parallel:
    """Return a Parallel that yields results as they arrive, or at the end if the backend cannot stream."""
    try:
        return joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    except ValueError:  # multiprocessing, for one
        return joblib.Parallel(n_jobs=n_jobs)


def _refit(candidate: Candidate, X: Any, y: Any, n_jobs: int | None) -> BaseEstimator:
    """Fit on all rows. A forest may use every core, in threads: processes take longer to start."""
    estimator = clone(candidate.estimator)
    X = copied(X)  # an estimator that works in place leaves the user's table as it is
    with (
        joblib.parallel_config(backend="threading", n_jobs=n_jobs),
        threadpool_limits(1),
        warnings.catch_warnings(),
        guard(candidate.is_safe()),
    ):
        fit(estimator, X, y)
    return estimator
