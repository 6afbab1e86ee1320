"""Versions for the server to follow."""

import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from sklearn.pipeline import Pipeline

from helpers.config import DECISION_THRESHOLD
from helpers.data import Split
from helpers.registry import promote, register
from helpers.tracking import Store, log_model

THRESHOLDS = {"knn": "0.2", "tree": "0.3", "logreg": "0.4"}


def register_model(store: Store, name: str, model: Pipeline, X: pd.DataFrame) -> ModelVersion:
    """Log and register a small model."""
    run = store.client.create_run(store.experiment_id)
    uri = log_model(run.info.run_id, model, X)
    store.client.set_terminated(run.info.run_id)
    return register(store.client, name, uri, run.info.run_id, {DECISION_THRESHOLD: THRESHOLDS[name]})


def promote_model(store: Store, name: str, model: Pipeline, sample: Split) -> ModelVersion:
    """Register a small model and put it into production."""
    version = register_model(store, name, model, sample.X_train)
    return promote(store.client, version.name, version.version, "test")
