"""A grid search with GridSearchCV's figures that does the work which combinations share only once."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import BaseCrossValidator, GridSearchCV, ParameterGrid, check_cv
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from helpers import forests, neighbors
from helpers.stand_in import Remembered

# What can share more than preprocessing: a module that says which parameters may differ (VARYING), which
# estimators qualify (shareable) and how to fit them together (fit). Anything else is fitted plainly.
FAMILIES = {
    KNeighborsClassifier: neighbors,
    RandomForestClassifier: forests,
    ExtraTreesClassifier: forests,
}


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


class _Candidate(NamedTuple):
    index: int
    params: dict
    prepare: Pipeline | None
    classify: BaseEstimator
    group: str  # equal for equal preprocessing


class _Fold(NamedTuple):
    """One fold under one preprocessing: the tables as they come, and as the estimator sees them."""

    number: int
    train: object
    val: object
    y_train: object
    y_val: object
    prepare: Pipeline | None
    X_fit: object
    X_train: object
    X_val: object

    def whole(self, model: BaseEstimator) -> BaseEstimator:
        """Return what predicts from the tables as they come."""
        if self.prepare is None:
            return model
        seen = [(self.train, self.X_train), (self.val, self.X_val)]
        return Pipeline([("prepare", Remembered(self.prepare, seen)), ("classify", model)])


def grid_search(
    pipeline: BaseEstimator,
    param_grid: dict | Sequence[dict],
    X: pd.DataFrame,
    y: pd.Series,
    *,
    cv: int | BaseCrossValidator,
    scoring: str | Sequence[str] | dict,
    refit: str,
    n_jobs: int | None = -1,
    on_result: Callable[[int, int, dict, dict], None] | None = None,
) -> SearchResult:
    """Try every combination of a grid in every fold, as GridSearchCV does, sharing what is common.

    Parameters
    ----------
    pipeline : Pipeline or estimator
    param_grid, cv, scoring, refit, n_jobs
        As for `sklearn.model_selection.GridSearchCV`.
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
    """
    # GridSearchCV itself resolves the scorers, makes the table of results and chooses the best.
    own = GridSearchCV(
        pipeline, param_grid, scoring=scoring, refit=refit, error_score="raise", return_train_score=True
    )
    scorers, refit_metric = own._get_scorers()
    params = list(ParameterGrid(param_grid))
    candidates = [_candidate(pipeline, index, chosen) for index, chosen in enumerate(params)]
    splits = list(check_cv(cv, y, classifier=True).split(X, y))
    outs = [[None] * len(splits) for _ in params]
    oof = np.full((len(params), len(X)), np.nan)
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    # The cores belong to the combinations: linear algebra with threads of its own would fight over them.
    with threadpool_limits(1):
        for fold, results in parallel(_tasks(pipeline, candidates, X, y, splits, scorers)):
            for index, out, probability in results:
                if isinstance(out, Exception):
                    message = f"fold {fold + 1} of {len(splits)} failed with {params[index]}: {out}"
                    raise SearchError(message) from out
                outs[index][fold] = out
                oof[index, splits[fold][1]] = np.nan if probability is None else probability
                if on_result is not None:
                    on_result(fold, index, params[index], _flat(out))
    results = own._format_results(params, len(splits), [out for row in outs for out in row])
    best = int(own._select_best_index(refit, refit_metric, results))
    estimator = clone(pipeline).set_params(**clone(params[best], safe=False))
    with joblib.parallel_config(n_jobs=n_jobs):  # a forest's refit may use every core
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


def _candidate(pipeline: BaseEstimator, index: int, params: dict) -> _Candidate:
    full = clone(pipeline).set_params(**clone(params, safe=False))
    if type(full) is not Pipeline or len(full) < 2 or full.transform_input:
        return _Candidate(index, params, None, full, "")
    last = full.steps[-1][0]
    before = {key: value for key, value in params.items() if key.partition("__")[0] != last}
    return _Candidate(index, params, full[:-1], full.steps[-1][1], _key(before))


def _key(params: dict) -> str:
    """Return a text that is equal for equal parameters."""
    try:
        return joblib.hash(params)
    except Exception:  # something that cannot be pickled: equal only to itself
        return repr({name: id(value) for name, value in params.items()})


def _tasks(
    pipeline: BaseEstimator, candidates: list, X: object, y: object, splits: list, scorers: object
) -> Iterator:
    """Yield the work of every fold, preprocessing fitted once for all who share it."""
    groups = defaultdict(list)
    for candidate in candidates:
        groups[candidate.group].append(candidate)
    for number, (train, val) in enumerate(splits):
        for group in groups.values():
            try:
                fold = _prepare(pipeline, group[0].prepare, X, y, number, train, val)
            except Exception as error:  # joblib would hang if this were raised here
                yield delayed(_failed)(number, group[0].index, error)
                continue
            for batch in _batches(group, len(train)):
                yield delayed(_run)(fold, batch, scorers)


def _failed(fold: int, index: int, error: Exception) -> tuple:
    return fold, [(index, error, None)]


def _prepare(
    pipeline: BaseEstimator,
    prepare: Pipeline | None,
    X: object,
    y: object,
    number: int,
    train: np.ndarray,
    val: np.ndarray,
) -> _Fold:
    raw, y_train = _safe_split(pipeline, X, y, train)
    raw_val, y_val = _safe_split(pipeline, X, y, val, train)
    if prepare is None:
        return _Fold(number, raw, raw_val, y_train, y_val, None, raw, raw, raw_val)
    prepare = clone(prepare)
    # Not the same for every transformer: a target encoder's fit_transform is not its transform.
    X_fit = prepare.fit_transform(raw, y_train)
    X_train, X_val = prepare.transform(raw), prepare.transform(raw_val)
    return _Fold(number, raw, raw_val, y_train, y_val, prepare, X_fit, X_train, X_val)


def _batches(group: list[_Candidate], n_rows: int) -> list[list[_Candidate]]:
    """Put together what a family can fit together."""
    batches = defaultdict(list)
    for candidate in group:
        estimator = candidate.classify
        family = FAMILIES.get(type(estimator))
        if family is None or not family.shareable(estimator, n_rows):
            key = candidate.index
        else:
            params = estimator.get_params(deep=False)
            key = type(estimator), _key({k: v for k, v in params.items() if k not in family.VARYING})
        batches[key].append(candidate)
    return list(batches.values())


def _run(fold: _Fold, batch: list[_Candidate], scorers: Callable) -> tuple:
    """Fit and score a batch in one fold; return the fold and (index, result or error, P(y=1)) of each."""
    models, seconds = _shared(fold, batch)
    results = []
    for position, candidate in enumerate(batch):
        start = time.perf_counter()
        try:
            model = models[position] if models else clone(candidate.classify).fit(fold.X_fit, fold.y_train)
            fitted = time.perf_counter()
            whole = fold.whole(model)
            val = scorers(whole, fold.val, fold.y_val)
            scored = time.perf_counter()
            out = {
                "fit_time": fitted - start + seconds / len(batch),
                "score_time": scored - fitted,
                "test_scores": val,
                "train_scores": scorers(whole, fold.train, fold.y_train),
            }
            results.append((candidate.index, out, _probability(model, fold.X_val)))
        except Exception as error:
            return fold.number, [*results, (candidate.index, error, None)]
    return fold.number, results


def _shared(fold: _Fold, batch: list[_Candidate]) -> tuple[list, float]:
    """Fit a batch together where that is possible; an empty list says to fit each alone."""
    family = FAMILIES.get(type(batch[0].classify))
    if family is None or len(batch) == 1:
        return [], 0.0
    start = time.perf_counter()
    try:
        estimators = [clone(candidate.classify) for candidate in batch]
        models = family.fit(estimators, fold.X_fit, fold.y_train, [fold.X_train, fold.X_val])
    except Exception:  # fitted alone, the one at fault raises its own error
        models = []
    return models, time.perf_counter() - start


def _probability(model: BaseEstimator, X: object) -> np.ndarray | None:
    if not hasattr(model, "predict_proba"):
        return None
    probabilities = model.predict_proba(X)
    return probabilities[:, 1] if len(getattr(model, "classes_", ())) == 2 else None


def _flat(out: dict) -> dict[str, float]:
    """Return a result's scores by name: ``train_f1``, ``val_f1`` and so on."""
    flat = {}
    for side, name in (("train", "train_scores"), ("val", "test_scores")):
        scores = out[name] if isinstance(out[name], dict) else {"score": out[name]}
        flat |= {f"{side}_{key}": float(value) for key, value in scores.items()}
    return flat
