"""One search for the neighbors gives the predictions of every k and weighting."""

import numpy as np
import pytest
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KNeighborsClassifier

from helpers.search import nearest_neighbors
from helpers.training.algorithms import make_pipeline
from tests.support.searches import assert_same, search


def knn_grid(**grid):
    return {f"classify__{key}": values for key, values in grid.items()}


@pytest.mark.parametrize(
    "grid",
    [
        {"n_neighbors": [7]},
        {"n_neighbors": [15, 4, 1, 2, 8]},
        {"weights": ["uniform", "distance"]},
        {"n_neighbors": [3, 8], "p": [1, 3, np.inf], "weights": ["distance", "uniform"]},
        {"n_neighbors": [3, 8], "metric": ["manhattan", "chebyshev", "cosine", "canberra"]},
        {"n_neighbors": [2, 5], "algorithm": ["brute", "ball_tree", "kd_tree"], "leaf_size": [5, 30]},
        {"n_neighbors": [5, 200, 264], "weights": ["uniform", "distance"]},
        {"n_neighbors": [4, 6], "weights": [lambda d: 1 / (1 + d), None]},
    ],
    ids=lambda grid: " ".join(grid),
)
def test_every_grid_gives_grid_search_cvs_scores(sample, grid):
    rows = slice(0, 400)
    assert_same(make_pipeline("knn"), knn_grid(**grid), sample.X_train[rows], sample.y_train[rows])


def test_ties_in_distance():
    """Integer features and repeated rows tie at every k; which of the tied rows vote follows scikit-learn."""
    random = np.random.default_rng(0)
    X = random.integers(0, 4, size=(300, 3)).astype(float)
    y = random.integers(0, 2, size=300)
    X[200:] = X[:100]  # distance 0 to rows of either class
    grid = {"n_neighbors": [1, 2, 3, 4, 6, 9, 20], "weights": ["uniform", "distance"], "p": [1, 2]}
    assert_same(KNeighborsClassifier(), grid, X, y)
    assert_same(KNeighborsClassifier(algorithm="brute"), grid, X, y)


def test_many_columns_which_scikit_learn_searches_without_a_tree():
    random = np.random.default_rng(1)
    X, y = random.normal(size=(200, 20)), random.integers(0, 2, size=200)
    assert_same(KNeighborsClassifier(), {"n_neighbors": [3, 4], "weights": ["uniform", "distance"]}, X, y)


def test_a_precomputed_distance_matrix_is_split_by_rows_and_columns():
    points = np.random.default_rng(2).normal(size=(120, 3))
    X, y = euclidean_distances(points), (points[:, 0] > 0).astype(int)
    assert_same(KNeighborsClassifier(metric="precomputed"), {"n_neighbors": [3, 4]}, X, y)


def test_queries_are_bounded_and_give_the_same_scores(sample, monkeypatch):
    n_queried = []
    kneighbors = KNeighborsClassifier.kneighbors

    def counting(self, X=None, *args, **kwargs):
        n_queried.append(len(X))
        return kneighbors(self, X, *args, **kwargs)

    X, y = sample.X_train[:400], sample.y_train[:400]
    grid = knn_grid(n_neighbors=[3, 5, 9], weights=["uniform", "distance"])
    expected = search(make_pipeline("knn"), grid, X, y)
    monkeypatch.setattr(nearest_neighbors, "ROWS_PER_QUERY", 50)
    monkeypatch.setattr(KNeighborsClassifier, "kneighbors", counting)
    result = search(make_pipeline("knn"), grid, X, y)
    assert max(n_queried) <= 50
    # One query per row, dataset and fold for six combinations; only tied rows are queried again.
    assert sum(n_queried) < 1.5 * (3 * 400)
    for key, values in expected.cv_results_.items():
        if key.startswith("split"):
            np.testing.assert_array_equal(result.cv_results_[key], values)
