"""MLflow runs: the store, the tree of training runs, logged models and artifacts."""

from helpers.tracking.artifacts import log_files, log_model, sha256_of_weights, trusted_types
from helpers.tracking.runs import log_dataset, single_run
from helpers.tracking.stale_runs import search_runs, terminate_stale_runs
from helpers.tracking.store import Store, StoreError, connect, tracking_uri
from helpers.tracking.training_run import TrainingRun

__all__ = [
    "Store",
    "StoreError",
    "TrainingRun",
    "connect",
    "log_dataset",
    "log_files",
    "log_model",
    "search_runs",
    "sha256_of_weights",
    "single_run",
    "terminate_stale_runs",
    "tracking_uri",
    "trusted_types",
]
