"""Neighbours searched once give the votes of every k and weighting."""

import numpy as np
import pytest
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
def test_every_grid_gives_the_figures_of_gridsearchcv(sample, grid):
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


def test_many_columns_are_searched_without_a_tree():
    random = np.random.default_rng(1)
    X, y = random.normal(size=(200, 20)), random.integers(0, 2, size=200)
    assert_same(KNeighborsClassifier(), {"n_neighbors": [3, 4], "weights": ["uniform", "distance"]}, X, y)


def test_rows_are_asked_about_in_chunks(sample, monkeypatch):
    """Memory stays bounded, the answers stay the same."""
    asked = []
    ask = KNeighborsClassifier.kneighbors

    def counting(self, X=None, *args, **kwargs):
        asked.append(len(X))
        return ask(self, X, *args, **kwargs)

    X, y = sample.X_train[:400], sample.y_train[:400]
    grid = knn_grid(n_neighbors=[3, 5, 9], weights=["uniform", "distance"])
    whole = search(make_pipeline("knn"), grid, X, y)
    monkeypatch.setattr(nearest_neighbors, "CHUNK", 50)
    monkeypatch.setattr(KNeighborsClassifier, "kneighbors", counting)
    parts = search(make_pipeline("knn"), grid, X, y)
    assert max(asked) <= 50
    # One question a row, side and fold for six combinations; only tied rows are asked about again.
    assert sum(asked) < 1.5 * (3 * 400)
    for key, values in whole.cv_results_.items():
        if key.startswith("split"):
            np.testing.assert_array_equal(parts.cv_results_[key], values)
