"""Fixtures of the tests of tracking."""

import os

import pytest

from helpers.config import SCORES, folds
from helpers.search import SearchResult, grid_search
from helpers.training import add_step_prefix, make_pipeline
from tests.support.trainings import GRID


@pytest.fixture(autouse=True)
def no_login(monkeypatch):
    """Undo what `connect` does with a login in a URI."""
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", os.environ["MLFLOW_TRACKING_URI"])
    monkeypatch.setattr("helpers.tracking.store._moved_to", "")


@pytest.fixture(scope="session")
def result(sample) -> SearchResult:
    """Return the result of a real search."""
    return grid_search(
        make_pipeline("tree"),
        add_step_prefix(GRID),
        sample.X_train,
        sample.y_train,
        cv=folds(),
        scoring=SCORES,
        refit="f1",
        n_jobs=1,
    )
