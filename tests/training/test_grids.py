import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from helpers.search import check_params
from helpers.training.algorithms import ALGORITHMS, add_step_prefix, make_pipeline
from helpers.training.grids import make_grid


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ('{"k": [1]}', r"unknown grid key 'k' for KNeighborsClassifier: choose from .*n_neighbors"),
        ('{"n_neighbors": []}', "'n_neighbors' needs a non-empty list"),
        ('{"n_neighbors": 5}', "'n_neighbors' needs a non-empty list"),
        ("n_neighbors=5", "grid is not JSON"),
        ("[1, 2]", "must map hyperparameters to lists"),
        ({}, "must map hyperparameters to lists"),
    ],
)
def test_bad_grid_says_what_is_wrong(grid, message):
    with pytest.raises(ValueError, match=message):
        make_grid("knn", grid)


def test_grid_as_json_text_equals_grid_as_mapping():
    assert make_grid("tree", '{"max_depth": [3, null]}') == make_grid("tree", {"max_depth": [3, None]})
    assert make_grid("tree", "") == make_grid("tree", None) == ALGORITHMS["tree"].grid


@pytest.mark.parametrize(
    ("model", "key", "value", "message"),
    [
        ("knn", "n_neighbors", 0, "'n_neighbors' parameter .* must be an int"),
        ("knn", "n_neighbors", "five", "Got 'five'"),
        ("knn", "n_neighbors", 2.5, "Got 2.5"),
        ("knn", "n_neighbors", True, "cannot be True: use a number"),
        ("knn", "weights", "no", "'weights' parameter"),
        ("knn", "n_neighbors", 2**63, "cannot be an integer of more than 64 bits"),
        ("tree", "max_depth", 10**400, "cannot be an integer of more than 64 bits"),
        ("logreg", "C", -1, "'C' parameter"),
        ("logreg", "C", float("nan"), "cannot be nan"),
        ("tree", "max_depth", True, "cannot be True"),
        ("tree", "class_weight", {"2": 1}, "has class '2': the classes are 0 and 1"),
        ("tree", "class_weight", {"1": "five"}, "has weight 'five'"),
        ("tree", "class_weight", {1: True}, "has weight True"),
        ("tree", "class_weight", {1: 0}, "has weight 0"),
    ],
)
def test_wrong_value_in_a_grid_is_named(model, key, value, message):
    with pytest.raises(ValueError, match=f"grid key '{key}'.* {message}|grid key '{key}' {message}"):
        make_grid(model, {key: [None, value] if key == "class_weight" else [value]})


@pytest.mark.parametrize("name", ALGORITHMS)
def test_default_grids_pass_their_own_check(name):
    assert make_grid(name, ALGORITHMS[name].grid) == ALGORITHMS[name].grid


def test_classes_in_json_are_numbers(sample):
    grid = make_grid("tree", '{"class_weight": [{"0": 1, "1": 5}, {"1": 2.5}, "balanced", null]}')
    assert grid == {"class_weight": [{0: 1, 1: 5}, {1: 2.5}, "balanced", None]}
    pipeline = make_pipeline("tree").set_params(**add_step_prefix({"class_weight": grid["class_weight"][0]}))
    assert set(pipeline.fit(sample.X_train, sample.y_train).predict(sample.X_test)) <= {0, 1}


def test_params_are_checked_where_the_estimator_can():
    with pytest.raises(ValueError, match="max_depth"):
        check_params(DecisionTreeClassifier(max_depth=np.nan))
    check_params(object())
