"""Forests of several sizes from the largest one: the first 100 trees of 400 are the 100-tree forest."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_sample_weight

from helpers.search import _sklearn
from helpers.search.precomputed import PrecomputedPredictions

VARYING = {"n_estimators"}
MAX_SEED = np.iinfo(np.int32).max
# What makes two ``tree_`` the same tree.
TREE_ARRAYS = ("children_left", "children_right", "feature", "threshold", "impurity", "value")


def shareable(forest: BaseEstimator, n_rows: int) -> bool:
    """Return whether a smaller forest is the beginning of a larger one of the same parameters.

    It is if every tree's seed comes from one integer: scikit-learn draws the seeds in order.
    """
    return (
        isinstance(forest.random_state, Integral)
        and not forest.warm_start
        and not forest.oob_score
        and isinstance(forest.n_estimators, Integral)
        and int(forest.n_estimators) >= 1
    )


def fit(
    forests: Sequence[BaseEstimator], X: np.ndarray, y: np.ndarray, datasets: Sequence
) -> list[PrecomputedPredictions]:
    """Grow the largest forest's trees one by one and predict for every size; no tree is kept.

    Parameters
    ----------
    forests : sequence of RandomForestClassifier or ExtraTreesClassifier
        Equal but for ``n_estimators``.
    X : array of shape (n_rows, n_features)
    y : array of shape (n_rows,)
    datasets : sequence of arrays of shape (n_dataset_rows, n_features)
        What to predict on.

    Returns
    -------
    list of PrecomputedPredictions
        One per forest, in their order.

    Raises
    ------
    ValueError
        If there are several targets: then nothing is shared.
    """
    sizes = [forest.n_estimators for forest in forests]
    # A forest of one tree lets scikit-learn check parameters and rows, and prepares the classes.
    first_tree_forest = clone(forests[0]).set_params(n_estimators=1).fit(X, y)
    if first_tree_forest.n_outputs_ != 1:
        raise ValueError("only one target can be shared")
    tables = [_as_float32(first_tree_forest, dataset) for dataset in datasets]
    totals = [np.zeros((table.shape[0], first_tree_forest.n_classes_)) for table in tables]
    means = {}
    largest = clone(forests[int(np.argmax(sizes))])
    for n_trees, tree in enumerate(_trees(largest, first_tree_forest, X, y), start=1):
        for table, total in zip(tables, totals, strict=True):
            total += tree.predict(table)  # in the order of the trees, as predict_proba: the same bits
        if n_trees in sizes:
            means[n_trees] = [total / n_trees for total in totals]
    classes = first_tree_forest.classes_
    return [_predictions(classes, datasets, means[size]) for size in sizes]


def _as_float32(forest: BaseEstimator, dataset: Any) -> Any:
    """Convert a dataset once for all trees, checked as the forest checks it."""
    forest.predict(dataset)
    return check_array(dataset, dtype=np.float32, accept_sparse="csr", ensure_all_finite=False)


def _predictions(
    classes: np.ndarray, datasets: Sequence, probabilities: list[np.ndarray]
) -> PrecomputedPredictions:
    """Predict what a forest predicts: the class of the highest mean probability, ties to the first."""
    predicted = [classes.take(np.argmax(means, axis=1)) for means in probabilities]
    return PrecomputedPredictions(classes, list(zip(datasets, probabilities, predicted, strict=True)))


def _trees(forest: BaseEstimator, first_tree_forest: BaseEstimator, X: Any, y: Any) -> Iterator[Any]:
    """Yield the ``tree_`` of each of the forest's trees in order.

    A forest's ``fit`` spends about a quarter of its time checking the same rows again for every tree. Trees
    with common settings are built here without that. The first one must equal scikit-learn's own; otherwise,
    and for other settings, the forest is fitted by scikit-learn.
    """
    if _sklearn.CAN_BUILD_TREES and _has_common_settings(forest, X):
        trees = _build_trees(forest, first_tree_forest, X, y)
        first = first_tree_forest.estimators_[0].tree_
        if _starts_with(trees, first):
            yield first
            yield from trees
            return
    yield from (tree.tree_ for tree in forest.fit(X, y).estimators_)


def _has_common_settings(forest: BaseEstimator, X: Any) -> bool:
    return (
        not issparse(X)
        and bool(np.isfinite(np.asarray(X, dtype=np.float32)).all())
        and forest.class_weight != "balanced_subsample"
        and isinstance(forest.criterion, str)
        and isinstance(forest.min_samples_leaf, Integral)
        and isinstance(forest.min_samples_split, Integral)
        and forest.min_weight_fraction_leaf == 0
        and forest.max_leaf_nodes is None
        and forest.monotonic_cst is None
        and forest.ccp_alpha == 0
    )


def _build_trees(forest: BaseEstimator, first_tree_forest: BaseEstimator, X: Any, y: Any) -> Iterator[Any]:
    """Yield the trees of a forest with common settings, as its ``fit`` draws their rows and seeds."""
    template = first_tree_forest.estimators_[0]
    n_drawn = len(first_tree_forest.estimators_samples_[0])
    weights = None if forest.class_weight is None else compute_sample_weight(forest.class_weight, y)
    if weights is not None:
        cumulative = np.cumsum(weights / np.sum(weights))
        cumulative /= cumulative[-1]
    X = np.ascontiguousarray(X, dtype=np.float32)
    y = np.searchsorted(first_tree_forest.classes_, np.asarray(y)).astype(np.float64).reshape(-1, 1)
    seeds = np.random.RandomState(forest.random_state)
    for _ in range(forest.n_estimators):
        seed = seeds.randint(MAX_SEED)
        sample_weight = weights
        if forest.bootstrap:  # how often each row is drawn is its weight
            random = np.random.RandomState(seed)
            if weights is None:
                rows = random.randint(0, len(X), n_drawn)
            else:  # what RandomState.choice does with probabilities; sorted, the look-up is faster
                rows = cumulative.searchsorted(np.sort(random.random_sample(n_drawn)), side="right")
            sample_weight = np.bincount(rows, minlength=len(X)).astype(np.float64)
        yield _sklearn.build_tree(template, X, y, sample_weight, seed)


def _starts_with(trees: Iterator[Any], first: Any) -> bool:
    """Take the first of the trees; return whether it equals this one."""
    try:
        tree = next(trees)
    except Exception:  # another release's builder may take other arguments
        return False
    return all(np.array_equal(getattr(tree, name), getattr(first, name)) for name in TREE_ARRAYS)
