"""The leaves of the run tree, each written whole: through MLflow's client, or many in one transaction.

MLflow has no call that writes several runs, and through its client one leaf costs a dozen database sessions.
Where the store is a database that this process opens itself, leaves are inserted into MLflow's own tables
instead, the very rows that the client writes (a test compares every table).
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mlflow.entities import LifecycleStage, Metric, Param, RunTag
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.uri import append_to_uri_path
from mlflow.utils.validation import _validate_batch_log_data
from sqlalchemy import insert

from helpers.tracking.store import Store


@dataclass(frozen=True)
class ChildRun:
    """A run that is complete when it is written."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    made: int = field(default_factory=lambda: int(time.time() * 1000))  # milliseconds since the epoch

    def entities(self) -> tuple[list[Metric], list[Param], list[RunTag]]:
        """Return metrics, params and tags as MLflow accepts them.

        Raises
        ------
        MlflowException
            If a key or value is one that MLflow refuses.
        """
        return _validate_batch_log_data(
            [Metric(key, float(value), self.made, 0) for key, value in self.metrics.items()],
            [Param(key, str(value)) for key, value in self.params.items()],
            [RunTag(key, value) for key, value in self.tags.items()],
        )


class RunWriter(Protocol):
    """Writes leaves; ``at_once`` may be given in one call, and ``threads`` may call at the same time."""

    at_once: int
    threads: int

    def write(self, leaves: list[ChildRun]) -> None:
        """Write leaves as finished runs."""


class ClientWriter:
    """Three calls a leaf, for any store; a server answers many at once."""

    at_once, threads = 1, 8

    def __init__(self, store: Store):
        self._client, self._experiment_id = store.client, store.experiment_id

    def write(self, leaves: list[ChildRun]) -> None:
        """Write leaves as finished runs."""
        for leaf in leaves:
            metrics, params, _ = leaf.entities()
            made = self._client.create_run(self._experiment_id, leaf.made, dict(leaf.tags), leaf.name)
            self._client.log_batch(made.info.run_id, metrics=metrics, params=params)
            self._client.set_terminated(made.info.run_id)


class DatabaseWriter:
    """One transaction for many leaves; SQLite has one writer at a time anyway."""

    at_once, threads = 100, 1

    def __init__(self, store: Store):
        self._database = _database(store)
        self._experiment = store.client.get_experiment(store.experiment_id)

    def write(self, leaves: list[ChildRun]) -> None:
        """Write leaves as finished runs: all of them, or none if it fails."""
        rows: dict[type, list[dict]] = {
            table: [] for table in (SqlRun, SqlTag, SqlParam, SqlMetric, SqlLatestMetric)
        }
        for leaf in leaves:
            run = self._run(leaf)
            own = {"run_uuid": run["run_uuid"]}
            metrics, params, tags = leaf.entities()
            tags += [RunTag("mlflow.runName", leaf.name)]
            values = [self._metric(metric) for metric in metrics]
            rows[SqlRun].append(run)
            rows[SqlTag] += [{**own, "key": tag.key, "value": tag.value} for tag in tags]
            rows[SqlParam] += [{**own, "key": param.key, "value": param.value} for param in params]
            rows[SqlMetric] += [{**own, **value} for value in values]
            rows[SqlLatestMetric] += [{**own, **value} for value in values]
        with self._database.ManagedSessionMaker(read_only=False) as session:
            for table, values in rows.items():
                if values:
                    session.execute(insert(table), values)

    def _run(self, leaf: ChildRun) -> dict:
        run_id = uuid.uuid4().hex
        return {
            "run_uuid": run_id,
            "name": leaf.name,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "user_id": leaf.tags.get("mlflow.user", "unknown"),
            "status": "FINISHED",
            "start_time": leaf.made,
            "end_time": int(time.time() * 1000),
            "source_version": "",
            "lifecycle_stage": LifecycleStage.ACTIVE,
            "artifact_uri": append_to_uri_path(self._experiment.artifact_location, run_id, "artifacts"),
            "experiment_id": int(self._experiment.experiment_id),
        }

    def _metric(self, metric: Metric) -> dict:
        is_nan, value = self._database.sanitize_metric_value(metric.value)
        return {
            "key": metric.key,
            "value": value,
            "timestamp": metric.timestamp,
            "step": metric.step,
            "is_nan": is_nan,
        }


def make_writer(store: Store) -> RunWriter:
    """Return the fastest writer that the store allows."""
    return DatabaseWriter(store) if type(_database(store)) is SqlAlchemyStore else ClientWriter(store)


def _database(store: Store) -> object:
    # The client has no public way to the store it works on.
    return store.client._tracking_client.store
