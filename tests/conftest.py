"""Fixtures that several test modules share."""

import os

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from helpers.data.loading import Split, load, split
from helpers.table import reading
from helpers.training import own_algorithms
from helpers.training.algorithms import ALGORITHMS, add_step_prefix, make_pipeline
from tests.support import stores


@pytest.fixture(autouse=True)
def table_and_algorithms_in_use():
    """Leave no test the table or the file of algorithms that another one chose."""
    variables = (reading.VARIABLE, own_algorithms.VARIABLE)
    before = {variable.name: os.environ.get(variable.name) for variable in variables}
    yield
    for variable in variables:
        variable.reset()
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def sample() -> Split:
    """Return the first 1,500 customers of the embedded sample, split."""
    customers: pd.DataFrame = load()
    return split(customers.head(1500))


@pytest.fixture(scope="session")
def fitted(sample: Split) -> dict[str, Pipeline]:
    """Return a small fitted pipeline per algorithm."""
    small = {
        "knn": {"n_neighbors": 15},
        "logreg": {"C": 1.0},
        "tree": {"max_depth": 4},
        "forest": {"n_estimators": 10, "max_depth": 5},
    }
    return {
        name: make_pipeline(name)
        .set_params(**add_step_prefix(small.get(name, {})))
        .fit(sample.X_train, sample.y_train)
        for name in ALGORITHMS
    }


@pytest.fixture
def store():
    """Return the project's connection to an empty store of the test's own."""
    from helpers.tracking.store import connect

    with stores.in_use(stores.empty()):
        yield connect()
