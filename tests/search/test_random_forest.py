"""The largest forest's first trees give the smaller forests."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from helpers.search import random_forest
from tests.support.searches import assert_same


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=(300, 4)), random.integers(0, 3, size=(300, 2))])
    y = np.where(X[:, 0] + X[:, 4] + random.normal(size=300) > 1.5, "gone", "here")
    return X, y


@pytest.mark.parametrize(
    "grid",
    [
        {"n_estimators": [5]},
        {"n_estimators": [9, 4, 1]},
        {"n_estimators": [3, 3]},
        {"n_estimators": [3, 7], "max_features": ["sqrt", "log2", None, 1, 0.7]},
        {"n_estimators": [3, 7], "bootstrap": [True, False], "class_weight": [None, "balanced"]},
        {"n_estimators": [3, 7], "class_weight": ["balanced_subsample", {0: 1, 1: 3}]},
        {"n_estimators": [3, 7], "max_depth": [1, 4], "min_samples_leaf": [1, 7, 0.05]},
        {"n_estimators": [3, 7], "min_samples_split": [9, 0.1], "criterion": ["gini", "entropy", "log_loss"]},
        {"n_estimators": [3, 7], "max_samples": [20, 0.5], "class_weight": [None, "balanced"]},
        {"n_estimators": [3, 7], "max_leaf_nodes": [5], "ccp_alpha": [0.0, 0.01]},
        {"n_estimators": [3, 7], "min_impurity_decrease": [0.01], "min_weight_fraction_leaf": [0.0, 0.1]},
        {"n_estimators": [3, 7], "monotonic_cst": [[1, 0, 0, 0, 0, -1]]},
        {"n_estimators": [3, 7], "random_state": [1, 2], "oob_score": [False, True]},
        {"n_estimators": [3, 7], "random_state": [np.random.RandomState(3)], "warm_start": [False, True]},
    ],
    ids=lambda grid: " ".join(grid),
)
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores", "ignore:class_weight presets")
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_every_grid_gives_grid_search_cvs_scores(table, kind, grid):
    X, y = table
    forest = kind(random_state=0, bootstrap="max_samples" in grid or "oob_score" in grid or kind().bootstrap)
    assert_same(forest, grid, X, (y == "gone").astype(int))


def test_missing_values_and_several_classes(table):
    X, _ = table
    X = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    y = np.arange(len(X)) % 3
    grid = {"n_estimators": [2, 6], "max_depth": [2, None]}
    assert_same(RandomForestClassifier(random_state=0), grid, X, y, scoring=["accuracy"], refit="accuracy")


def test_infinite_values_to_predict_on_are_rejected_as_scikit_learn_rejects_them(table):
    X, y = table
    with pytest.raises(ValueError, match="infinity"):
        random_forest.fit([RandomForestClassifier(2, random_state=0)], X, y, [np.full((1, 6), np.inf)])


def test_one_forest_is_grown_and_its_trees_are_scikit_learns(table, monkeypatch):
    X, y = table
    built = []
    build_trees = random_forest._build_trees
    monkeypatch.setattr(
        random_forest,
        "_build_trees",
        lambda *args: (built.append(tree) or tree for tree in build_trees(*args)),
    )
    forests = [RandomForestClassifier(n, random_state=5) for n in (3, 8, 5)]
    results = random_forest.fit(forests, X, y, [X])
    assert len(built) == 8
    for forest, result in zip(forests, results, strict=True):
        forest.fit(X, y)
        np.testing.assert_array_equal(result.predict_proba(X), forest.predict_proba(X))
        np.testing.assert_array_equal(result.predict(X), forest.predict(X))
    for tree, expected in zip(built, forests[1].estimators_, strict=True):
        assert random_forest._starts_with(iter([tree]), expected.tree_)


def _stumps(X, y):
    return iter([DecisionTreeClassifier(max_depth=1).fit(X, y).tree_] * 9)


def _other_arguments(X, y):
    raise TypeError("build_tree() takes other arguments")
    yield


@pytest.mark.parametrize("build", [_stumps, _other_arguments])
def test_scikit_learn_grows_the_forest_if_the_first_tree_differs_from_its_own(table, monkeypatch, build):
    """Another release may build trees differently or take other arguments."""
    X, y = table
    monkeypatch.setattr(random_forest, "_build_trees", lambda *args: build(X, y))
    forest = RandomForestClassifier(4, random_state=5)
    (result,) = random_forest.fit([forest], X, y, [X])
    np.testing.assert_array_equal(result.predict_proba(X), forest.fit(X, y).predict_proba(X))
