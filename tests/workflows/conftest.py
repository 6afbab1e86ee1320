"""A store with the weakest model in production, and tables of new customers."""

from pathlib import Path

import pytest

from helpers.registry import promote
from helpers.tracking import connect
from tests.support import stores
from tests.support.command import churn


@pytest.fixture
def production_store():
    """Return a store in which all notebooks ran, with the weakest model in production."""
    with stores.in_use(stores.copy(stores.promoted())):
        connection = connect()
        promote(connection.client, "churn-logreg", 1, "to be replaced")
        yield connection


@pytest.fixture
def retrain(tmp_path):
    """Return a function that runs ``churn retrain`` with an output folder of the test's own."""

    def retrain(batch: Path, *options: str) -> int:
        return churn("retrain", "--batch", batch, "--out", tmp_path / "out", *options)

    return retrain
