"""The examples of the documentation, as they stand."""

import pytest

from helpers.config import ROOT
from helpers.tracking import check_estimator
from helpers.training import algorithms, make_grid, make_pipeline, use_algorithms
from helpers.training.algorithms import ALGORITHMS
from tests.support.boosting import classifier

EXAMPLES = {"my_xgboost": "xgboost", "my_lightgbm": "lightgbm", "my_classifier": "ranked_bayes"}


def test_every_example_is_tried():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == EXAMPLES.keys()


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_is_an_algorithm_that_could_be_trained(file, sample):
    name = EXAMPLES[file]
    if name != "ranked_bayes":
        classifier(name)  # or there is nothing to test
        assert len((ROOT / "examples" / f"{file}.py").read_text().splitlines()) < 20
    use_algorithms(f"examples/{file}.py")
    assert list(algorithms()) == [*ALGORITHMS, name]
    check_estimator(make_pipeline(name), make_grid(name), sample.X_train, sample.y_train)
