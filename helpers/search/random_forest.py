"""Forests of several sizes from the largest one: the first 100 trees of 400 are the 100-tree forest."""

from collections.abc import Iterator, Sequence
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.tree._classes import CRITERIA_CLF, DENSE_SPLITTERS
from sklearn.tree._tree import DepthFirstTreeBuilder, Tree

from helpers.search.precomputed import PrecomputedPredictions

VARYING = {"n_estimators"}
NO_LIMIT = np.iinfo(np.int32).max


def shareable(forest: BaseEstimator, n_rows: int) -> bool:
    """Say whether a smaller forest is the beginning of a larger one of the same parameters.

    It is if every tree's seed comes from one integer: scikit-learn draws the seeds in order.
    """
    return (
        isinstance(forest.random_state, Integral)
        and not forest.warm_start
        and not forest.oob_score
        and isinstance(forest.n_estimators, Integral)
        and forest.n_estimators >= 1
    )


def fit(
    forests: Sequence[BaseEstimator], X: np.ndarray, y: np.ndarray, sides: Sequence
) -> list[PrecomputedPredictions]:
    """Grow the largest forest's trees one by one and answer for every size; no tree is kept.

    Parameters
    ----------
    forests : sequence of RandomForestClassifier or ExtraTreesClassifier
        Equal but for ``n_estimators``.
    X : array of shape (n_rows, n_features)
    y : array of shape (n_rows,)
    sides : sequence of arrays of shape (n_side_rows, n_features)
        The tables to answer about.

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
    # A forest of one tree lets scikit-learn check parameters and rows, and prepares classes and weights.
    seedling = clone(forests[0]).set_params(n_estimators=1).fit(X, y)
    if seedling.n_outputs_ != 1:
        raise ValueError("only one target can be shared")
    tables = [seedling._validate_X_predict(side) for side in sides]  # once to float32 for all trees
    totals = [np.zeros((table.shape[0], seedling.n_classes_)) for table in tables]
    means = {}
    largest = clone(forests[int(np.argmax(sizes))])
    for grown, tree in enumerate(_trees(largest, seedling, X, y), start=1):
        for table, total in zip(tables, totals, strict=True):
            total += tree.predict(table)  # in the order of the trees, as predict_proba: the same bits
        if grown in sizes:
            means[grown] = [total / grown for total in totals]
    return [_answers(seedling.classes_, sides, means[size]) for size in sizes]


def _answers(classes: np.ndarray, sides: Sequence, probabilities: list[np.ndarray]) -> PrecomputedPredictions:
    """Predict what a forest predicts: the class of the highest mean probability, the first of equals."""
    predicted = [classes.take(np.argmax(means, axis=1)) for means in probabilities]
    return PrecomputedPredictions(classes, list(zip(sides, probabilities, predicted, strict=True)))


def _trees(forest: BaseEstimator, seedling: BaseEstimator, X: np.ndarray, y: np.ndarray) -> Iterator[Tree]:
    """Yield the forest's trees in order.

    A forest's ``fit`` spends a quarter of its time on checking the same rows again for every tree. Here the
    trees of usual settings are built without; the first must equal scikit-learn's own, else, and for
    unusual settings, the forest is fitted as ever.
    """
    own = seedling.estimators_[0].tree_
    if _usual(forest, X):
        grown = _grow(forest, seedling, X, y)
        if _equal(next(grown), own):
            yield own
            yield from grown
            return
    yield from (tree.tree_ for tree in forest.fit(X, y).estimators_)


def _usual(forest: BaseEstimator, X: np.ndarray) -> bool:
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


def _grow(forest: BaseEstimator, seedling: BaseEstimator, X: np.ndarray, y: np.ndarray) -> Iterator[Tree]:
    """Yield the trees of a forest of usual settings, built as `sklearn.tree` builds them."""
    X = np.ascontiguousarray(X, dtype=np.float32)
    y = np.searchsorted(seedling.classes_, np.asarray(y)).astype(np.float64).reshape(-1, 1)
    n_rows, n_features = X.shape
    n_classes = np.array([seedling.n_classes_], dtype=np.intp)
    template = seedling.estimators_[0]
    leaf = forest.min_samples_leaf
    split = max(forest.min_samples_split, 2 * leaf)
    depth = NO_LIMIT if forest.max_depth is None else forest.max_depth
    weights = seedling._sample_weight  # the class weights, per row
    if weights is not None:
        shares = np.cumsum(weights / np.sum(weights))
        shares /= shares[-1]
    seeds = np.random.RandomState(forest.random_state)
    for _ in range(forest.n_estimators):
        seed = seeds.randint(NO_LIMIT)
        drawn = weights
        if forest.bootstrap:  # how often each row is drawn is its weight
            random, size = np.random.RandomState(seed), seedling._n_samples_bootstrap
            if weights is None:
                rows = random.randint(0, n_rows, size)
            else:  # what RandomState.choice does with probabilities; sorted, the look-up is faster
                rows = shares.searchsorted(np.sort(random.random_sample(size)), side="right")
            drawn = np.bincount(rows, minlength=n_rows).astype(np.float64)
        splitter = DENSE_SPLITTERS[template.splitter](
            CRITERIA_CLF[forest.criterion](1, n_classes),
            template.max_features_,
            leaf,
            0.0,
            np.random.RandomState(seed),
            None,
        )
        tree = Tree(n_features, n_classes, 1)
        builder = DepthFirstTreeBuilder(splitter, split, leaf, 0.0, depth, forest.min_impurity_decrease)
        builder.build(tree, X, y, drawn, None)
        yield tree


def _equal(one: Tree, other: Tree) -> bool:
    ours, theirs = one.__getstate__(), other.__getstate__()
    return np.array_equal(ours["nodes"], theirs["nodes"]) and np.array_equal(ours["values"], theirs["values"])
