import json

import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import ParameterGrid
from sklearn.tree import DecisionTreeClassifier

from helpers.config import SEED
from helpers.training.algorithms import (
    ALGORITHMS,
    CLASSIFY,
    PREPARE,
    Algorithm,
    add_step_prefix,
    algorithm,
    combination_name,
    make_pipeline,
)
from helpers.training.grids import make_grid
from tests.support.bank import FEATURES
from tests.support.paths import BENCH


@pytest.mark.skipif(not BENCH.is_dir(), reason="../shared/bench is not there")
def test_default_grids_are_the_published_ones():
    published = json.loads((BENCH / "grids.json").read_text())
    assert {name: ALGORITHMS[name].grid for name in published} == published


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown model 'svm': choose one of knn, logreg, tree, forest"):
        algorithm("svm")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_pipeline_uses_the_features_in_order_and_no_identifier(name):
    transformers = make_pipeline(name).named_steps[PREPARE].transformers
    assert [column for _, _, columns in transformers for column in columns] == FEATURES


def test_combination_name_sorts_its_hyperparameters_and_drops_the_step():
    first = next(iter(ParameterGrid(add_step_prefix(make_grid("knn")))))
    assert combination_name(first) == "n_neighbors=3 p=1 weights=uniform"


def test_an_estimator_without_a_seed_gets_the_projects_also_inside_another(monkeypatch, sample):
    own = CalibratedClassifierCV(SGDClassifier(), cv=3)
    grid = {"estimator": [SGDClassifier(), DecisionTreeClassifier(random_state=1)], "cv": [3]}
    monkeypatch.setitem(ALGORITHMS, "own", Algorithm("own", own, grid))
    first, second = (make_pipeline("own").fit(sample.X_train, sample.y_train) for _ in range(2))
    assert first.get_params()[f"{CLASSIFY}__estimator__random_state"] == SEED
    assert (first.predict_proba(sample.X_test) == second.predict_proba(sample.X_test)).all()
    assert [tree.random_state for tree in make_grid("own")["estimator"]] == [SEED, 1]
    assert own.estimator.random_state is grid["estimator"][0].random_state is None
