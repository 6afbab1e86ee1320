"""Tests and notebooks under test work on stores of their own: a test never touches the user's registry."""

import os

import pytest

from tests.support import stores

# Nothing that is set in the caller's shell may change a stored output.
for _name in (
    "CHURN_DATA",
    "CHURN_SERVE_URL",
    "JPY_SESSION_NAME",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_RUN_ID",
    "MLFLOW_RUN_CONTEXT",
):
    os.environ.pop(_name, None)
os.environ.update(
    MLFLOW_TRACKING_URI=stores.fresh(),
    MLFLOW_LOGGING_LEVEL="ERROR",
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
    MLFLOW_DISABLE_TELEMETRY="true",
    DO_NOT_TRACK="true",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item):
    """Start each notebook's kernel on the store that a reader has when he comes to that notebook."""
    notebook = item.parent
    if type(notebook).__name__ != "IPyNbFile" or notebook.kernel is not None:
        return (yield)
    with stores.in_use(stores.for_notebook(notebook.path.stem)):
        return (yield)
