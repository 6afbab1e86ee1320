"""Fixtures for tests of the registry."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion

from helpers.config import DECISION_THRESHOLD
from helpers.data import Split
from helpers.registry import register
from helpers.tracking import log_model

FOLD_SCORES = (0.5, 0.52, 0.48, 0.51, 0.49)


@pytest.fixture
def add_version(store, fitted, sample: Split) -> Callable[..., ModelVersion]:
    """Return a function that registers an algorithm's model as a training does, with given fold scores."""

    def add_version(
        name: str,
        folds=FOLD_SCORES,
        model=None,
        columns: list[str] | None = None,
        data_sha256: str = "abc",
        threshold: float | None = None,
        costs: dict[str, float] | None = None,
        on_model_run: bool = True,
    ) -> ModelVersion:
        run_id = _log_runs(store, name, folds, costs or {})
        if on_model_run:
            for number, score in enumerate(folds, 1):
                store.client.log_metric(run_id, "folds/val_f1", score, step=number)
        X: pd.DataFrame = sample.X_train if columns is None else sample.X_train[columns]
        uri = log_model(run_id, model or fitted[name], X)
        tags = {"data_sha256": data_sha256}
        if threshold is not None:
            tags[DECISION_THRESHOLD] = repr(threshold)
        return register(store.client, name, uri, run_id, tags)

    return add_version


def _log_runs(store, name: str, folds, costs: dict[str, float]) -> str:
    """Log a model run with a run per fold, and return its id."""
    client = store.client
    metrics = {"cv_val_f1_mean": np.mean(folds), "cv_val_f1_std": np.std(folds)}
    metrics |= {"test_f1": 0.5, "test_accuracy": 0.8, "test_roc_auc": 0.75, **costs}
    run_id = client.create_run(store.experiment_id, tags={"level": "model", "algorithm": name}).info.run_id
    for key, value in metrics.items():
        client.log_metric(run_id, key, value)
    for number, score in enumerate(folds, 1):
        tags = {"level": "fold", "fold": str(number), "mlflow.parentRunId": run_id}
        fold = client.create_run(store.experiment_id, tags=tags)
        client.log_metric(fold.info.run_id, "val_f1", score)
    return run_id
