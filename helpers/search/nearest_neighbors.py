"""K-nearest neighbors for every k and weighting from one search for the neighbors."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from helpers.search._sklearn import searches_with_tree
from helpers.search.folds import take_rows
from helpers.search.precomputed import PrecomputedPredictions

VARYING = {"n_neighbors", "weights"}
ROWS_PER_QUERY = 4096  # bounds the memory for lists of neighbors
TIE_TOLERANCE = 1e-9  # relative difference of distances that counts as a tie

Neighbors = tuple[np.ndarray, np.ndarray]  # distances and row numbers, each of shape (n_rows, k)


class _PrecomputedNeighborsClassifier(KNeighborsClassifier):
    """A fitted classifier that predicts, with scikit-learn's own code, from precomputed ``neighbors``."""

    neighbors: Neighbors

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        return self.neighbors if return_distance else self.neighbors[1]


def shareable(knn: KNeighborsClassifier, n_rows: int) -> bool:
    """Return whether the neighbors for this k are the first of those for a larger k.

    From ``n_rows // 2`` neighbors on, ``algorithm="auto"`` chooses another way of searching.
    """
    return (
        isinstance(knn.n_neighbors, Integral)
        and 1 <= int(knn.n_neighbors) < n_rows // 2
        and isinstance(knn.weights, str)
        and knn.weights in ("uniform", "distance")
        and knn.algorithm != "brute"
    )


def fit(
    knns: Sequence[KNeighborsClassifier], X: np.ndarray, y: np.ndarray, datasets: Sequence[np.ndarray]
) -> list[PrecomputedPredictions]:
    """Search for the neighbors once, with the largest k, and predict for every k and weighting.

    Parameters
    ----------
    knns : sequence of KNeighborsClassifier
        Equal but for ``n_neighbors`` and ``weights``.
    X : array of shape (n_rows, n_features)
    y : array of shape (n_rows,)
    datasets : sequence of arrays of shape (n_dataset_rows, n_features)
        What to predict on.

    Returns
    -------
    list of PrecomputedPredictions
        One per classifier, in their order.

    Raises
    ------
    ValueError
        If scikit-learn searches these rows without a tree: then nothing is shared.
    """
    first = knns[0].fit(X, y)
    if not searches_with_tree(first) or first.outputs_2d_:
        raise ValueError("only neighbors found with a tree, for one target, can be shared")
    classifiers = [_with_state_of(first, knn) for knn in knns]
    results: list[list[tuple]] = [[] for _ in knns]
    for dataset in datasets:
        starts = range(0, len(dataset), ROWS_PER_QUERY)
        rows = [np.arange(start, min(start + ROWS_PER_QUERY, len(dataset))) for start in starts]
        parts = [_predict(classifiers, take_rows(dataset, part)) for part in rows]
        for result, pieces in zip(results, zip(*parts, strict=True), strict=True):
            probabilities, predicted = zip(*pieces, strict=True)
            result.append((dataset, np.concatenate(probabilities), np.concatenate(predicted)))
    return [PrecomputedPredictions(first.classes_, result) for result in results]


def _with_state_of(
    fitted: KNeighborsClassifier, knn: KNeighborsClassifier
) -> _PrecomputedNeighborsClassifier:
    """Return a classifier with the parameters of one and the fitted state of the other."""
    params = knn.get_params()
    classifier = _PrecomputedNeighborsClassifier(**params)
    classifier.__dict__.update({key: value for key, value in vars(fitted).items() if key not in params})
    return classifier


def _predict(
    classifiers: Sequence[_PrecomputedNeighborsClassifier], X: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return every classifier's probabilities and predictions for some rows."""
    neighbors = _nearest(classifiers[0], {knn.n_neighbors for knn in classifiers}, X)
    results = []
    for knn in classifiers:
        knn.neighbors = neighbors[knn.n_neighbors]
        probabilities = knn.predict_proba(X)
        if knn.weights == "uniform":  # the most common label, ties to the first: argmax gives the same
            predicted = knn.classes_.take(np.argmax(probabilities, axis=1))
        else:
            predicted = knn.predict(X)
        results.append((probabilities, predicted))
    return results


def _nearest(knn: KNeighborsClassifier, ks: set[int], X: np.ndarray) -> dict[int, Neighbors]:
    """Return the neighbors of some rows for every k."""
    # One more than the largest k shows whether the k-th neighbor is tied with the next.
    distances, indices = KNeighborsClassifier.kneighbors(knn, X, n_neighbors=max(ks) + 1)
    nearest = {}
    for k in ks:
        nearest[k] = distances[:, :k].copy(), indices[:, :k].copy()
        tied = np.flatnonzero(distances[:, k] - distances[:, k - 1] <= TIE_TOLERANCE * distances[:, k])
        if len(tied):  # which of the tied rows are chosen depends on k: query with this k
            queried = KNeighborsClassifier.kneighbors(knn, take_rows(X, tied), n_neighbors=k)
            nearest[k][0][tied], nearest[k][1][tied] = queried
    return nearest
