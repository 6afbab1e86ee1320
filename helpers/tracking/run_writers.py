"""Writers for child runs: through MLflow's client, or in bulk into its database; and a queue before them.

MLflow has no call that writes several runs, and through its client one run costs a dozen database sessions.
Where this process opens the database itself, child runs are inserted into MLflow's own tables instead, with
the same rows that the client writes (a test compares every table).
"""

import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, Self

from mlflow.entities import LifecycleStage, Metric, Param, RunTag

from helpers.errors import StoreError
from helpers.tracking import _mlflow
from helpers.tracking.store import Store, tracking_uri
from helpers.tracking.store_errors import explain

QUEUE_SIZE = 256  # runs waiting to be written; then `put` waits, so memory stays bounded


@dataclass(frozen=True)
class ChildRun:
    """A run that is complete when it is written."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    start_time: int = field(default_factory=lambda: int(time.time() * 1000))  # milliseconds since the epoch

    def entities(self) -> tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]:
        """Return metrics, params and tags as MLflow accepts them.

        Raises
        ------
        MlflowException
            If MLflow refuses a key or value.
        """
        return _mlflow.validate(
            [Metric(key, float(value), self.start_time, 0) for key, value in self.metrics.items()],
            [Param(key, str(value)) for key, value in self.params.items()],
            [RunTag(key, value) for key, value in self.tags.items()],
        )


class RunWriter(Protocol):
    """Writes child runs.

    Attributes
    ----------
    batch_size : int
        Maximum runs per call.
    n_threads : int
        Calls that may be made concurrently.
    """

    batch_size: int
    n_threads: int

    def write(self, runs: list[ChildRun]) -> None:
        """Write finished runs."""


class ClientWriter:
    """Three calls per run, for any store; a server answers many concurrently."""

    batch_size, n_threads = 1, 8

    def __init__(self, store: Store):
        self._client, self._experiment_id = store.client, store.experiment_id

    def write(self, runs: list[ChildRun]) -> None:
        """Write finished runs."""
        for run in runs:
            metrics, params, _ = run.entities()
            info = self._client.create_run(self._experiment_id, run.start_time, dict(run.tags), run.name).info
            self._client.log_batch(info.run_id, metrics=metrics, params=params)
            self._client.set_terminated(info.run_id)


class DatabaseWriter:
    """One transaction for many runs; SQLite allows one writer at a time anyway."""

    batch_size, n_threads = 100, 1

    def __init__(self, store: Store, database: _mlflow.RunDatabase):
        self._database = database
        self._experiment = store.client.get_experiment(store.experiment_id)

    def write(self, runs: list[ChildRun]) -> None:
        """Write finished runs: all of them, or none if it fails."""
        rows: dict[str, list[dict]] = {
            table: [] for table in ("runs", "tags", "params", "metrics", "latest_metrics")
        }
        for run in runs:
            run_id = {"run_uuid": uuid.uuid4().hex}
            metrics, params, tags = run.entities()
            values = [{**run_id, **self._metric_row(metric)} for metric in metrics]
            rows["runs"].append({**run_id, **self._run_row(run, run_id["run_uuid"])})
            rows["tags"] += [{**run_id, "key": tag.key, "value": tag.value} for tag in tags]
            rows["tags"].append({**run_id, "key": "mlflow.runName", "value": run.name})
            rows["params"] += [{**run_id, "key": param.key, "value": param.value} for param in params]
            rows["metrics"] += values
            rows["latest_metrics"] += values
        self._database.insert(rows)

    def _run_row(self, run: ChildRun, run_id: str) -> dict:
        return {
            "name": run.name,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "user_id": run.tags.get("mlflow.user", "unknown"),
            "status": "FINISHED",
            "start_time": run.start_time,
            "end_time": int(time.time() * 1000),
            "source_version": "",
            "lifecycle_stage": LifecycleStage.ACTIVE,
            "artifact_uri": _mlflow.artifact_uri(self._experiment.artifact_location, run_id),
            "experiment_id": int(self._experiment.experiment_id),
        }

    def _metric_row(self, metric: Metric) -> dict:
        is_nan, value = self._database.metric_value(metric.value)
        return {
            "key": metric.key,
            "value": value,
            "timestamp": metric.timestamp,
            "step": metric.step,
            "is_nan": is_nan,
        }


def make_writer(store: Store) -> RunWriter:
    """Return the fastest writer that the store allows."""
    database = _mlflow.run_database(store.client)
    return ClientWriter(store) if database is None else DatabaseWriter(store, database)


class QueuedWriter:
    """Writes child runs in background threads while the caller computes; use it in a ``with`` block.

    Leaving the block waits for what is queued, or discards it if the block failed. An error of the writer
    surfaces at the next `put` or `drain`, at the latest when the block ends.

    Parameters
    ----------
    writer : RunWriter
    on_written : callable
        Called with the number of runs after each write.
    """

    def __init__(self, writer: RunWriter, on_written: Callable[[int], object]):
        self._writer, self._on_written = writer, on_written
        self._queue: queue.Queue[ChildRun] = queue.Queue(QUEUE_SIZE)
        self._closed, self._discarded = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(writer.n_threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def put(self, run: ChildRun) -> None:
        """Queue a run; waits while the queue is full."""
        while self._error is None:
            with suppress(queue.Full):
                return self._queue.put(run, timeout=1)
        self._raise_error()

    def drain(self) -> None:
        """Wait until every queued run is written."""
        while self._queue.unfinished_tasks and self._error is None:
            time.sleep(0.02)
        self._raise_error()

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is not None:
            self._discarded.set()
        self._closed.set()
        for thread in self._threads:
            thread.join()
        if error_type is None:
            self._raise_error()

    def _work(self) -> None:
        while not (self._closed.is_set() and (self._queue.empty() or self._discarded.is_set())):
            runs: list[ChildRun] = []
            with suppress(queue.Empty):
                runs.append(self._queue.get(timeout=0.1))
                while len(runs) < self._writer.batch_size:
                    runs.append(self._queue.get_nowait())
            try:
                if runs and self._error is None:
                    self._writer.write(runs)
            except BaseException as error:
                self._error = error
            finally:
                for _ in runs:
                    self._queue.task_done()
                self._on_written(len(runs))

    def _raise_error(self) -> None:
        if self._error is not None:
            known = isinstance(self._error, Exception) and explain(tracking_uri(), self._error)
            raise StoreError(known or f"a run could not be written to MLflow: {self._error}") from None
