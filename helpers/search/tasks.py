"""Scheduling: one preprocessing fit per fold, then batches of candidates fitted together."""

import atexit
import threading
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import delayed

from helpers.search import nearest_neighbors, random_forest
from helpers.search.cv_results import FoldScores
from helpers.search.fast_scorers import Scorers, score
from helpers.search.folds import Fold, TransformedFold, make_folds

# What can share more than preprocessing: a module that says which parameters may differ (VARYING), which
# estimators qualify (shareable) and how to fit them together (fit). Anything else is fitted one by one.
FAMILIES: dict[type, ModuleType] = {
    KNeighborsClassifier: nearest_neighbors,
    RandomForestClassifier: random_forest,
    ExtraTreesClassifier: random_forest,
}

_running: set[threading.Event] = set()


@atexit.register
def _wait_for_running_tasks() -> None:
    """Wait for the tasks of an interrupted search: a thread stopped inside C++ aborts the process."""
    while _running:
        for finished in tuple(_running):
            finished.wait()


@dataclass(frozen=True)
class Candidate:
    """A hyperparameter combination: its place in the grid and its unfitted estimators.

    Attributes
    ----------
    index : int
    preprocessing : Pipeline or None
        All steps but the last; None where there is nothing to share.
    classifier : estimator
        The last step, or all of it where ``preprocessing`` is None.
    group : str
        Equal for candidates with equal preprocessing.
    """

    index: int
    preprocessing: Pipeline | None
    classifier: BaseEstimator
    group: str


@dataclass(frozen=True)
class CandidateResult:
    """A candidate in one fold: its scores and P(second class) of the validation part, or its error."""

    index: int
    scores: FoldScores | None = None
    probability: np.ndarray | None = None
    error: Exception | None = None


def make_candidate(pipeline: BaseEstimator, index: int, params: dict, scorers: Scorers) -> Candidate:
    """Return a combination as a candidate.

    Its preprocessing is shared if it is a plain Pipeline and no scorer can look into it.

    Raises
    ------
    ValueError
        If there is no such parameter.
    """
    estimator = clone(pipeline).set_params(**clone(params, safe=False))
    is_plain = type(estimator) is Pipeline and len(estimator) > 1 and not estimator.transform_input
    if not is_plain or not scorers.predictions_only:
        return Candidate(index, None, estimator, "")
    last, classifier = estimator.steps[-1]
    before = {key: value for key, value in params.items() if key.partition("__")[0] != last}
    return Candidate(index, estimator[:-1], classifier, _key(before))


def _key(params: dict) -> str:
    """Return a text that is equal for equal parameters."""
    try:
        return joblib.hash(params)
    except Exception:  # something that cannot be pickled: equal only to itself
        return repr({name: id(value) for name, value in params.items()})


def make_tasks(
    pipeline: BaseEstimator,
    candidates: Sequence[Candidate],
    X: Any,
    y: Any,
    splits: Sequence,
    scorers: Scorers,
) -> Iterator:
    """Yield every fold's work for joblib; preprocessing is fitted once for all candidates that share it.

    Tasks are created as workers become free, so only a few folds' transformed tables exist at a time.
    """
    groups = defaultdict(list)
    for candidate in candidates:
        groups[candidate.group].append(candidate)
    for fold in make_folds(pipeline, X, y, splits):
        for group in groups.values():
            yield from _group_tasks(replace(fold, preprocessing=group[0].preprocessing), group, scorers)


def _group_tasks(fold: Fold, group: list[Candidate], scorers: Scorers) -> Iterator:
    """Yield the tasks of candidates with the same preprocessing."""
    data: Fold | TransformedFold = fold
    batches = _batches(group, len(fold.y_train))
    if len(batches) > 1:
        try:
            # Avoid re-entering the active joblib backend: a nested ColumnTransformer would shut it down.
            with joblib.parallel_config(backend="threading", n_jobs=1):
                data = fold.transform()
        except Exception:
            batches = batches[:1]  # its task meets the error again and reports it
    for batch in batches:
        yield delayed(run_batch)(data, batch, scorers)


def _batches(group: list[Candidate], n_rows: int) -> list[list[Candidate]]:
    """Put together what a family can fit together."""
    batches: dict[Hashable, list[Candidate]] = defaultdict(list)
    for candidate in group:
        family = FAMILIES.get(type(candidate.classifier))
        key: Hashable = candidate.index
        if family is not None and family.shareable(candidate.classifier, n_rows):
            params = candidate.classifier.get_params(deep=False)
            key = (
                type(candidate.classifier),
                _key({k: v for k, v in params.items() if k not in family.VARYING}),
            )
        batches[key].append(candidate)
    return list(batches.values())


def run_batch(
    data: Fold | TransformedFold, batch: list[Candidate], scorers: Scorers
) -> tuple[int, list[CandidateResult]]:
    """Fit and score a batch in a fold; return the fold's number and the results up to the first error."""
    finished = threading.Event()
    _running.add(finished)
    try:
        fold = data if isinstance(data, Fold) else data.fold
        return fold.number, list(_results(data, fold, batch, scorers))
    finally:
        _running.discard(finished)
        finished.set()


def _results(
    data: Fold | TransformedFold, fold: Fold, batch: list[Candidate], scorers: Scorers
) -> Iterator[CandidateResult]:
    current = batch[0]
    try:
        data = data.transform()
        start = time.perf_counter()
        models = _fit_together(data, batch, scorers)
        shared_seconds = (time.perf_counter() - start) / len(batch)
        for position, current in enumerate(batch):
            start = time.perf_counter()
            model = models[position] if models else clone(current.classifier).fit(data.X_fit, fold.y_train)
            fitted = time.perf_counter()
            estimator = data.pipeline(model)
            val = score(scorers, estimator, fold.X_val, fold.y_val)
            scored = time.perf_counter()
            train = score(scorers, estimator, fold.X_train, fold.y_train)
            scores = FoldScores(train, val, fitted - start + shared_seconds, scored - fitted)
            yield CandidateResult(current.index, scores, _probability(model, data.X_val))
    except Exception as error:
        yield CandidateResult(current.index, error=error)


def _fit_together(data: TransformedFold, batch: list[Candidate], scorers: Scorers) -> list:
    """Fit a batch together where that is possible; an empty list says to fit them one by one."""
    family = FAMILIES.get(type(batch[0].classifier))
    y_train = data.fold.y_train
    if family is None or not scorers.predictions_only:
        return []
    if not family.shareable(batch[0].classifier, len(y_train)):
        return []
    try:
        classifiers = [clone(candidate.classifier) for candidate in batch]
        return family.fit(classifiers, data.X_fit, y_train, [data.X_train, data.X_val])
    except Exception:  # fitted one by one, the candidate at fault raises its own error
        return []


def _probability(model: BaseEstimator, X: Any) -> np.ndarray | None:
    if hasattr(model, "predict_proba") and len(getattr(model, "classes_", ())) == 2:
        return model.predict_proba(X)[:, 1]
    return None
