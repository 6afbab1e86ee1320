"""Tests and tested notebooks use their own stores: a test never touches the user's registry."""

import os

import pytest

from helpers.config import MLFLOW_DEFAULTS
from tests.support import stores

# No variable of the caller's shell may change a stored output.
for _name in (
    "CHURN_ALGORITHMS",
    "CHURN_DATA",
    "CHURN_SERVE_URL",
    "CHURN_TABLE",
    "JPY_SESSION_NAME",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_RUN_ID",
    "MLFLOW_RUN_CONTEXT",
):
    os.environ.pop(_name, None)
os.environ.update(MLFLOW_DEFAULTS, MLFLOW_TRACKING_URI=stores.fresh())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item):
    """Start each notebook's kernel on the store in the state that a reader would have at that point."""
    notebook = item.parent
    if type(notebook).__name__ != "IPyNbFile" or notebook.kernel is not None:
        return (yield)
    with stores.in_use(stores.for_notebook(notebook.path.stem)):
        return (yield)
