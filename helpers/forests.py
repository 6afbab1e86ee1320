"""Forests of several sizes from the largest one: the first 100 trees of 400 are the 100-tree forest."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from helpers.stand_in import Answers

VARYING = {"n_estimators"}


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


def fit(forests: Sequence[BaseEstimator], X: np.ndarray, y: np.ndarray, sides: Sequence) -> list[Answers]:
    """Fit the largest forest and answer for every size.

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
    list of Answers
        One per forest, in their order.
    """
    sizes = [forest.n_estimators for forest in forests]
    largest = forests[int(np.argmax(sizes))].fit(X, y)
    if largest.n_outputs_ != 1:
        raise ValueError("only one target can be shared")
    votes = [_votes(largest, side, set(sizes)) for side in sides]
    classes = largest.classes_
    return [
        Answers(
            classes,
            [
                (side, of[size], classes.take(np.argmax(of[size], axis=1)))
                for side, of in zip(sides, votes, strict=True)
            ],
        )
        for size in sizes
    ]


def _votes(forest: BaseEstimator, X: np.ndarray, sizes: set[int]) -> dict[int, np.ndarray]:
    """Return the mean probability over the first trees, per number of trees.

    The sum runs in the order of the trees, as the forest's own ``predict_proba`` does, so it is the same
    to the last bit.
    """
    X = forest._validate_X_predict(X)  # once to float32 for all trees
    total = np.zeros((X.shape[0], forest.n_classes_))
    means = {}
    for done, tree in enumerate(forest.estimators_, start=1):
        total += tree.tree_.predict(X)[:, : forest.n_classes_]
        if done in sizes:
            means[done] = total / done
    return means
