import json

import pytest
from sklearn.model_selection import ParameterGrid

from helpers.config import FEATURES
from helpers.training.algorithms import (
    ALGORITHMS,
    PREPARE,
    add_step_prefix,
    algorithm,
    combination_name,
    make_pipeline,
)
from helpers.training.grids import make_grid
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
