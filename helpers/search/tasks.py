"""How a search's work is cut: preprocessing once a fold, then batches of what can be fitted together."""

import atexit
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics._scorer import _BaseScorer, _PassthroughScorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import delayed

from helpers.search import nearest_neighbors, random_forest
from helpers.search.fast_scorers import score
from helpers.search.precomputed import PrecomputedTransform

# What can share more than preprocessing: a module that says which parameters may differ (VARYING), which
# estimators qualify (shareable) and how to fit them together (fit). Anything else is fitted plainly.
FAMILIES = {
    KNeighborsClassifier: nearest_neighbors,
    RandomForestClassifier: random_forest,
    ExtraTreesClassifier: random_forest,
}


_running: set[object] = set()


@atexit.register
def _let_tasks_end() -> None:
    """Wait for what an interrupted search left running: a thread stopped inside C++ aborts the process."""
    while _running:
        time.sleep(0.01)


class Candidate(NamedTuple):
    """A combination: its place in the grid, its unfitted parts, and a text that names its preprocessing."""

    index: int
    prepare: Pipeline | None
    classify: BaseEstimator
    group: str
    full: BaseEstimator


class FoldResult(NamedTuple):
    """A combination in one fold: figures as GridSearchCV collects them, P(y=1) of the validation part."""

    index: int
    figures: dict | None = None
    probability: np.ndarray | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Fold:
    """One fold under one preprocessing: its tables as they come and, once ready, as transformed."""

    number: int
    train: object
    val: object
    y_train: object
    y_val: object
    prepare: Pipeline | None
    tables: tuple | None = None  # to fit on, training side, validation side

    def ready(self) -> "Fold":
        """Return the fold with its preprocessing fitted."""
        if self.tables is not None:
            return self
        if self.prepare is None:
            return replace(self, tables=(self.train, self.train, self.val))
        # Two tables of the same rows: a target encoder's fit_transform, for one, is not its transform.
        fitted = self.prepare.fit_transform(self.train, self.y_train)
        tables = fitted, self.prepare.transform(self.train), self.prepare.transform(self.val)
        return replace(self, tables=tables)

    def whole(self, model: BaseEstimator) -> BaseEstimator:
        """Return what predicts from the tables as they come."""
        if self.prepare is None:
            return model
        seen = [(self.train, self.tables[1]), (self.val, self.tables[2])]
        return Pipeline([("prepare", PrecomputedTransform(self.prepare, seen)), ("classify", model)])


def make_candidate(pipeline: BaseEstimator, index: int, params: dict) -> Candidate:
    """Return a combination; what is no plain Pipeline has no preprocessing of its own to share.

    Raises
    ------
    ValueError
        If there is no such parameter.
    """
    full = clone(pipeline).set_params(**clone(params, safe=False))
    if type(full) is not Pipeline or len(full) < 2 or full.transform_input:
        return Candidate(index, None, full, "", full)
    last, classify = full.steps[-1]
    before = {key: value for key, value in params.items() if key.partition("__")[0] != last}
    return Candidate(index, full[:-1], classify, _key(before), full)


def _key(params: dict) -> str:
    """Return a text that is equal for equal parameters."""
    try:
        return joblib.hash(params)
    except Exception:  # something that cannot be pickled: equal only to itself
        return repr({name: id(value) for name, value in params.items()})


def tasks(
    pipeline: BaseEstimator,
    candidates: list[Candidate],
    X: object,
    y: object,
    splits: list,
    scorers: Callable,
) -> Iterator:
    """Yield the work of every fold for joblib; preprocessing is fitted once for all who share it.

    Tasks are made as workers become free, so only a few folds' prepared tables exist at a time.
    """
    if not _standard(scorers):
        candidates = [each._replace(prepare=None, classify=each.full, group="") for each in candidates]
    groups = defaultdict(list)
    for each in candidates:
        groups[each.group].append(each)
    for number, (train, val) in enumerate(splits):
        X_train, y_train = _safe_split(pipeline, X, y, train)
        X_val, y_val = _safe_split(pipeline, X, y, val, train)
        for group in groups.values():
            prepare = group[0].prepare
            fold = Fold(number, X_train, X_val, y_train, y_val, None if prepare is None else clone(prepare))
            batches = _batches(group, len(train))
            if len(batches) > 1:
                try:
                    # The backend is at work on the tasks: a ColumnTransformer that used it would end it.
                    with joblib.parallel_config(backend="threading", n_jobs=1):
                        fold = fold.ready()
                except Exception:
                    batches = batches[:1]  # this one meets the error again and reports it
            for batch in batches:
                yield delayed(run_batch)(fold, batch, scorers)


def _standard(scorers: Callable) -> bool:
    """Say whether every scorer only asks for predictions; a callable may look into model and table."""
    each = getattr(scorers, "_scorers", {"": scorers}).values()
    return all(isinstance(scorer, (_BaseScorer, _PassthroughScorer)) for scorer in each)


def _batches(group: list[Candidate], n_rows: int) -> list[list[Candidate]]:
    """Put together what a family can fit together."""
    batches = defaultdict(list)
    for each in group:
        family = FAMILIES.get(type(each.classify))
        if family is None or not family.shareable(each.classify, n_rows):
            key = each.index
        else:
            params = each.classify.get_params(deep=False)
            key = type(each.classify), _key({k: v for k, v in params.items() if k not in family.VARYING})
        batches[key].append(each)
    return list(batches.values())


def run_batch(fold: Fold, batch: list[Candidate], scorers: Callable) -> tuple[int, list[FoldResult]]:
    """Fit and score a batch in a fold; return the fold's number and the outcomes up to the first error."""
    task = object()
    _running.add(task)
    try:
        return fold.number, list(_outcomes(fold, batch, scorers))
    finally:
        _running.discard(task)


def _outcomes(fold: Fold, batch: list[Candidate], scorers: Callable) -> Iterator[FoldResult]:
    for position, each in enumerate(batch):
        try:
            if position == 0:
                fold = fold.ready()
                models, seconds = _together(fold, batch, scorers)
            start = time.perf_counter()
            model = models[position] if models else clone(each.classify).fit(fold.tables[0], fold.y_train)
            fitted = time.perf_counter()
            whole = fold.whole(model)
            val = score(scorers, whole, fold.val, fold.y_val)
            scored = time.perf_counter()
            figures = {
                "fit_time": fitted - start + seconds / len(batch),
                "score_time": scored - fitted,
                "test_scores": val,
                "train_scores": score(scorers, whole, fold.train, fold.y_train),
            }
            yield FoldResult(each.index, figures, _probability(model, fold.tables[2]))
        except Exception as error:
            yield FoldResult(each.index, error=error)
            return


def _together(fold: Fold, batch: list[Candidate], scorers: Callable) -> tuple[list, float]:
    """Fit a batch together where that is possible; an empty list says to fit each alone."""
    family = FAMILIES.get(type(batch[0].classify))
    start = time.perf_counter()
    models = []
    if family is not None and _standard(scorers) and family.shareable(batch[0].classify, len(fold.y_train)):
        fit_on, *sides = fold.tables
        try:
            models = family.fit([clone(each.classify) for each in batch], fit_on, fold.y_train, sides)
        except Exception:  # fitted alone, the one at fault raises its own error
            models = []
    return models, time.perf_counter() - start


def _probability(model: BaseEstimator, X: object) -> np.ndarray | None:
    if hasattr(model, "predict_proba") and len(getattr(model, "classes_", ())) == 2:
        return model.predict_proba(X)[:, 1]
    return None
