"""MLflow runs: the store, the tree of training runs, logged models and artifacts."""

from helpers.tracking._mlflow import model_server_command
from helpers.tracking.artifacts import log_files, log_model, trusted_types
from helpers.tracking.clean_up import delete_search_runs
from helpers.tracking.runs import log_dataset, log_values, single_run
from helpers.tracking.stale_runs import search_runs, terminate_stale_runs
from helpers.tracking.store import Store, become_ui, connect, store_address, tracking_uri
from helpers.tracking.store_errors import explain
from helpers.tracking.training_run import FOLD_GROUP, TrainingRun
from helpers.tracking.trial_fit import check_estimator

__all__ = [
    "FOLD_GROUP",
    "Store",
    "TrainingRun",
    "become_ui",
    "check_estimator",
    "connect",
    "delete_search_runs",
    "explain",
    "log_dataset",
    "log_files",
    "log_model",
    "log_values",
    "model_server_command",
    "search_runs",
    "single_run",
    "store_address",
    "terminate_stale_runs",
    "tracking_uri",
    "trusted_types",
]
