"""MLflow runs: the store, the tree of training runs, logged models and artifacts."""

from helpers.tracking._mlflow import model_server_command, scoring_app
from helpers.tracking.artifacts import TABLE, log_files, log_model
from helpers.tracking.clean_up import delete_search_runs
from helpers.tracking.rights import EDIT, MANAGE, check_rights
from helpers.tracking.runs import log_dataset, log_values, metric_name, single_run
from helpers.tracking.safe_format import allowed_types, trusted_types
from helpers.tracking.stale_runs import is_dead, owner, search_runs, terminate_stale_runs
from helpers.tracking.store import Store, become_ui, connect, store_address, tracking_uri
from helpers.tracking.store_errors import explain
from helpers.tracking.training_run import FOLD_GROUP, TrainingRun
from helpers.tracking.trial_fit import check_estimator

__all__ = [
    "EDIT",
    "FOLD_GROUP",
    "MANAGE",
    "TABLE",
    "Store",
    "TrainingRun",
    "allowed_types",
    "become_ui",
    "check_estimator",
    "check_rights",
    "connect",
    "delete_search_runs",
    "explain",
    "is_dead",
    "log_dataset",
    "log_files",
    "log_model",
    "log_values",
    "metric_name",
    "model_server_command",
    "owner",
    "scoring_app",
    "search_runs",
    "single_run",
    "store_address",
    "terminate_stale_runs",
    "tracking_uri",
    "trusted_types",
]
