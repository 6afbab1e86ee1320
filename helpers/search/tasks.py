"""Scheduling: one preprocessing fit per fold, then batches of candidates fitted together."""

import atexit
import os
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, clone

from helpers.search.candidates import Candidate, family_of, make_batches
from helpers.search.cv_results import FoldScores
from helpers.search.fast_scorers import Scorers, score
from helpers.search.folds import Fold, FoldData, transform
from helpers.search.precomputed import PrecomputedPredictions, copied
from helpers.search.threads import guard, run_task

_running: set[threading.Event] = set()


@atexit.register
def _wait_for_running_tasks() -> None:
    """Wait for the tasks of an interrupted search: a thread stopped inside C++ aborts the process."""
    while _running:
        for finished in tuple(_running):
            finished.wait()


@dataclass(frozen=True)
class CandidateResult:
    """A candidate in one fold: its scores and P(second class) of the validation part, or its error."""

    index: int
    scores: FoldScores | None = None
    probability: np.ndarray | None = None
    error: Exception | None = None


def make_tasks(
    candidates: Sequence[Candidate], X: Any, y: Any, splits: Sequence, scorers: Scorers
) -> Iterator:
    """Return an iterator of every fold's work for joblib.

    Preprocessing is fitted once for all candidates that share it. Tasks are created as workers become free,
    so only a few folds' transformed tables exist at a time. joblib asks for them in threads of its own, which
    get scikit-learn's configuration from here.
    """
    config, filters, process = get_config(), list(warnings.filters), os.getpid()
    groups = defaultdict(list)
    for candidate in candidates:
        groups[candidate.group].append(candidate)

    def tasks() -> Iterator:
        for number, (train, val) in enumerate(splits):
            fold = Fold(number, X, y, train, val)
            for group in groups.values():
                batches = make_batches(group, len(train))
                data = _prepare(fold, group[0], config) if len(batches) > 1 else None
                for batch in batches:
                    yield joblib.delayed(run_task)(
                        process, config, filters, run_batch, fold, data, batch, scorers
                    )

    return tasks()


def _prepare(fold: Fold, candidate: Candidate, config: dict) -> FoldData | None:
    """Fit the preprocessing that several batches share; None if that fails: each task then tries itself."""
    if candidate.preprocessing is None:
        return None
    try:
        # Avoid re-entering the active joblib backend: a nested ColumnTransformer would shut it down.
        with config_context(**config), joblib.parallel_config(backend="sequential"):
            return _transform(fold, candidate)
    except Exception:
        return None


def _transform(fold: Fold, candidate: Candidate) -> FoldData:
    with guard(candidate.preprocessing_is_safe):
        return transform(fold, candidate.preprocessing, is_kernel=candidate.is_kernel)


def run_batch(
    fold: Fold, data: FoldData | None, batch: list[Candidate], scorers: Scorers
) -> tuple[int, list[CandidateResult]]:
    """Fit and score a batch in a fold; return the fold's number and the results up to the first error."""
    finished = threading.Event()
    _running.add(finished)
    try:
        return fold.number, list(_results(fold, data, batch, scorers))
    finally:
        _running.discard(finished)
        finished.set()


def _results(
    fold: Fold, data: FoldData | None, batch: list[Candidate], scorers: Scorers
) -> Iterator[CandidateResult]:
    current = batch[0]
    try:
        if data is None:
            data = _shared_data(fold, batch)
        start = time.perf_counter()
        models = [] if data is None else _fit_together(data, batch, len(fold.train), scorers)
        shared_seconds = (time.perf_counter() - start) / len(batch)
        for position, current in enumerate(batch):
            if data is not None and models:
                yield _result(current, models[position], data, data.X_val, scorers, shared_seconds)
            else:
                with guard(current.is_safe()):
                    yield _fit(fold, data, current, scorers)
    except Exception as error:
        yield CandidateResult(current.index, error=error)


def _shared_data(fold: Fold, batch: list[Candidate]) -> FoldData | None:
    """Return a batch's transformed fold, or the fold as it is for a family; None if nothing is shared."""
    first = batch[0]
    if first.preprocessing is not None:
        return _transform(fold, first)
    return None if family_of(batch, len(fold.train)) is None else fold.take(is_kernel=first.is_kernel)


def _fit_together(data: FoldData, batch: list[Candidate], n_rows: int, scorers: Scorers) -> list:
    """Fit a batch together where that is possible; an empty list says to fit them one by one."""
    family = family_of(batch, n_rows)
    if family is None or not scorers.predictions_only:
        return []
    if batch[0].preprocessing is not None and data.preprocessing is None:  # it cannot be shared
        return []
    try:
        classifiers = [clone(candidate.classifier) for candidate in batch]
        return family.fit(classifiers, data.X_fit, data.y_train, data.datasets())
    except Exception:  # fitted one by one, the candidate at fault raises its own error
        return []


def _fit(fold: Fold, data: FoldData | None, candidate: Candidate, scorers: Scorers) -> CandidateResult:
    """Fit one candidate: the last step on a copy of the transformed rows, or all of it on rows of its own."""
    start = time.perf_counter()
    if data is None or data.preprocessing is None:
        data = fold.take(is_kernel=candidate.is_kernel)
        model = clone(candidate.estimator)
        fit(model, data.X_train, data.y_train)
        X_val = fold.take(is_kernel=candidate.is_kernel).X_val  # scoring may change the other in place
    else:
        model = clone(candidate.classifier)
        fit(model, copied(data.X_fit), data.y_train)
        X_val = data.X_val
    return _result(candidate, model, data, X_val, scorers, time.perf_counter() - start)


def _result(
    candidate: Candidate,
    model: BaseEstimator,
    data: FoldData,
    X_val: Any,
    scorers: Scorers,
    fit_seconds: float,
) -> CandidateResult:
    """Score a model, the validation part first, as GridSearchCV does; ``X_val`` is for probabilities."""
    estimator = data.pipeline(model, copies=not isinstance(model, PrecomputedPredictions))
    start = time.perf_counter()
    val = score(scorers, estimator, data.X_val, data.y_val)
    score_seconds = time.perf_counter() - start
    train = score(scorers, estimator, data.X_train, data.y_train)
    scores = FoldScores(train, val, fit_seconds, score_seconds)
    return CandidateResult(candidate.index, scores, _probability(estimator, X_val))


def fit(model: BaseEstimator, X: Any, y: Any) -> None:
    """Fit, without a target where there is none. What ``fit`` returns need not be the model."""
    model.fit(X) if y is None else model.fit(X, y)


def _probability(estimator: BaseEstimator, X: Any) -> np.ndarray | None:
    """Return P(second class); None where there is none, or where it fails, since no score needs it."""
    try:
        if len(estimator.classes_) != 2:
            return None
        probability = np.asarray(estimator.predict_proba(X), dtype=float)
    except Exception:
        return None
    return probability[:, 1] if probability.ndim == 2 and probability.shape[1] == 2 else None
