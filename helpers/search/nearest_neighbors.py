"""K-nearest neighbours for every k and weighting from one search of the neighbours."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from helpers.search.precomputed import PrecomputedPredictions

VARYING = {"n_neighbors", "weights"}
CHUNK = 4096  # rows asked about at once: bounds the neighbour lists
NEAR = 1e-9  # relative difference of distances that counts as a tie


class _PrecomputedNeighborsClassifier(KNeighborsClassifier):
    """A fitted classifier that votes, with scikit-learn's own code, over neighbours it is told."""

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        return self.told if return_distance else self.told[1]


def shareable(knn: KNeighborsClassifier, n_rows: int) -> bool:
    """Say whether the neighbours for this k are the first of those for a larger k.

    From ``n_rows // 2`` neighbours on, ``algorithm="auto"`` chooses another way of searching.
    """
    return (
        isinstance(knn.n_neighbors, Integral)
        and 1 <= knn.n_neighbors < n_rows // 2
        and isinstance(knn.weights, str)
        and knn.weights in ("uniform", "distance")
        and knn.algorithm != "brute"
    )


def fit(
    knns: Sequence[KNeighborsClassifier], X: np.ndarray, y: np.ndarray, sides: Sequence[np.ndarray]
) -> list[PrecomputedPredictions]:
    """Search the neighbours once, with the largest k, and answer for every k and weighting.

    Parameters
    ----------
    knns : sequence of KNeighborsClassifier
        Equal but for ``n_neighbors`` and ``weights``.
    X : array of shape (n_rows, n_features)
    y : array of shape (n_rows,)
    sides : sequence of arrays of shape (n_side_rows, n_features)
        The tables to answer about.

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
    if first._fit_method not in ("kd_tree", "ball_tree") or first.outputs_2d_:
        raise ValueError("only neighbours found with a tree, for one target, can be shared")
    tellers = [_teller(first, knn) for knn in knns]
    answers = [[] for _ in knns]
    for side in sides:
        parts = [_vote(tellers, side[i : i + CHUNK]) for i in range(0, len(side), CHUNK)]
        for column, answer in enumerate(answers):
            pieces = [part[column] for part in parts]
            answer.append(
                (side, np.concatenate([p for p, _ in pieces]), np.concatenate([c for _, c in pieces]))
            )
    return [PrecomputedPredictions(first.classes_, answer) for answer in answers]


def _teller(fitted: KNeighborsClassifier, knn: KNeighborsClassifier) -> _PrecomputedNeighborsClassifier:
    """Return a classifier with the parameters of one and the fitted state of the other."""
    teller = _PrecomputedNeighborsClassifier(**knn.get_params())
    state = {key: value for key, value in vars(fitted).items() if key not in knn.get_params()}
    vars(teller).update(state)
    return teller


def _vote(
    tellers: Sequence[_PrecomputedNeighborsClassifier], X: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return every classifier's probabilities and predictions for some rows."""
    base = tellers[0]
    most = max(teller.n_neighbors for teller in tellers)
    # One more than the largest k shows whether the k-th neighbour is tied with the next.
    distances, indices = KNeighborsClassifier.kneighbors(base, X, n_neighbors=most + 1)
    lists = {}
    for k in {teller.n_neighbors for teller in tellers}:
        lists[k] = distances[:, :k].copy(), indices[:, :k].copy()
        tied = np.flatnonzero(distances[:, k] - distances[:, k - 1] <= NEAR * distances[:, k])
        if len(tied):  # which of the tied rows are taken depends on k: ask with this very k
            found = KNeighborsClassifier.kneighbors(base, X[tied], n_neighbors=k)
            lists[k][0][tied], lists[k][1][tied] = found
    results = []
    for teller in tellers:
        teller.told = lists[teller.n_neighbors]
        probabilities = teller.predict_proba(X)
        if teller.weights == "uniform":  # the commonest label, the lowest of equals: argmax says the same
            predicted = teller.classes_.take(np.argmax(probabilities, axis=1))
        else:
            predicted = teller.predict(X)
        results.append((probabilities, predicted))
    return results
