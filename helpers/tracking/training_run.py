"""The run tree: an algorithm's run, under it five folds, under each of those every combination."""

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param
from mlflow.tracking.context.registry import resolve_tags
from sklearn.model_selection import BaseCrossValidator, ParameterGrid

from helpers.config import SCORES, TARGET
from helpers.files import sha256
from helpers.tracking.progress import progress
from helpers.tracking.provenance import provenance
from helpers.tracking.run_writers import ChildRun, make_writer
from helpers.tracking.runs import log_dataset
from helpers.tracking.stale_runs import (
    HEARTBEAT,
    OWNER,
    owner,
    search_runs,
    send_heartbeats,
    terminate_run,
    terminate_stale_runs,
)
from helpers.tracking.store import Store
from helpers.training import combination_name, strip_step_prefix

if TYPE_CHECKING:
    from helpers.search import SearchResult

QUEUED = 256  # results waiting to be written; then the search waits, so memory stays bounded


class TrainingRun:
    """Writes a search into MLflow while it goes on; use it in a ``with`` block.

    Entering closes what dead processes left running and makes the model run and its folds. Leaving ends the
    model run: ``FINISHED``, or, with everything below it, ``FAILED`` (``KILLED`` if interrupted). A failure
    to write surfaces at the next `log` and at the end of the search.

    Parameters
    ----------
    store : Store
    algorithm : str
    X : DataFrame of shape (n_customers, n_features)
        The training part.
    y : Series of shape (n_customers,)
    cv : cross-validator
        The one that the search uses.
    source : Path
        The CSV that the customers come from.
    grid : dict, optional
        The grid of the search; gives the progress bar its length.

    Attributes
    ----------
    model_run_id : str
    data_sha256 : str
        Fingerprint of ``source``.
    """

    def __init__(
        self,
        store: Store,
        algorithm: str,
        X: pd.DataFrame,
        y: pd.Series,
        cv: BaseCrossValidator,
        source: Path,
        grid: dict | None = None,
    ):
        self.store, self.client = store, store.client
        self.algorithm, self.source = algorithm, source
        self.data_sha256 = sha256(source)
        self._data = X.assign(**{TARGET: y})
        self._sizes = [(len(train), len(val)) for train, val in cv.split(X, y)]
        self._leaves = len(ParameterGrid(grid)) * len(self._sizes) if grid else None
        self._queue: queue.Queue = queue.Queue(QUEUED)
        self._error: BaseException | None = None
        self._abandoned = threading.Event()

    def __enter__(self) -> "TrainingRun":
        terminate_stale_runs(self.client, self.store.experiment_id)
        self._tags = {**resolve_tags(), "algorithm": self.algorithm}
        own = {"level": "model", OWNER: owner(), HEARTBEAT: str(time.time()), "data_sha256": self.data_sha256}
        self.model_run_id = self._create(self.algorithm, {**own, **provenance()})
        try:
            self._fold_ids = [self._create_fold(number) for number in range(1, len(self._sizes) + 1)]
            log_dataset(self.store, self.model_run_id, self._data, self.source, "training")
            self._bar = progress(self._leaves, self.algorithm)
            self._writer = make_writer(self.store)
        except BaseException:
            self._close("FAILED")
            raise
        self._threads = [
            threading.Thread(target=self._write, daemon=True) for _ in range(self._writer.threads)
        ]
        self._ended = threading.Event()
        beating = (self.client, self.model_run_id, self._ended)
        self._threads.append(threading.Thread(target=send_heartbeats, args=beating, daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def log(self, fold: int, index: int, params: Mapping, scores: Mapping[str, float]) -> None:
        """Queue one combination's result on one fold; waits while the queue is full.

        Parameters
        ----------
        fold : int
            From 0.
        index : int
            The combination's place in the grid.
        params : dict
            Hyperparameters, with or without the pipeline's step in front.
        scores : dict
            ``train_f1`` ... ``val_roc_auc``.
        """
        leaf = self._leaf(fold, index, params, scores)
        while self._error is None:
            with suppress(queue.Full):
                self._queue.put(leaf, timeout=1)
                return
        self._raise_writers_error()

    def drain(self) -> None:
        """Wait until every result that was logged is written."""
        while self._queue.unfinished_tasks and self._error is None:
            time.sleep(0.02)
        self._raise_writers_error()

    def finish_search(self, found: "SearchResult") -> None:
        """Drain, end the folds and log the winner on the model run."""
        self.drain()
        results, best = found.cv_results_, found.best_index_
        for fold, run_id in enumerate(self._fold_ids):
            metrics = {
                f"{side}_{score}": results[f"split{fold}_{key}_{score}"][best]
                for side, key in (("train", "train"), ("val", "test"))
                for score in SCORES
            }
            self._log_batch(run_id, metrics)
            self._delete_strays(run_id)
            self.client.set_terminated(run_id)
        metrics = {
            f"cv_{side}_{score}_{name}": results[f"{name}_{key}_{score}"][best]
            for side, key in (("train", "train"), ("val", "test"))
            for score in SCORES
            for name in ("mean", "std")
        }
        self._log_batch(self.model_run_id, metrics, found.best_params_)

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics on the model run."""
        self._log_batch(self.model_run_id, metrics)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if kind is not None:
            self._abandoned.set()
        for thread in self._threads:
            thread.join()
        self._bar.close()
        if kind is None and self._error is None:
            self._close("FINISHED")
            return
        # The store itself may be what failed: then the next start closes these runs.
        with suppress(mlflow.MlflowException):
            self._close("FAILED" if kind is None or issubclass(kind, Exception) else "KILLED")
        if kind is None:
            self._raise_writers_error()

    def _close(self, status: str) -> None:
        terminate_run(self.client, self.client.get_run(self.model_run_id), status)

    def _create(self, name: str, tags: Mapping[str, str]) -> str:
        made = self.client.create_run(self.store.experiment_id, run_name=name, tags={**self._tags, **tags})
        return made.info.run_id

    def _create_fold(self, number: int) -> str:
        tags = {"level": "fold", "fold": str(number), "mlflow.parentRunId": self.model_run_id}
        run_id = self._create(f"fold-{number}", tags)
        n_train, n_val = self._sizes[number - 1]
        self._log_batch(run_id, params={"n_train": n_train, "n_val": n_val})
        return run_id

    def _write(self) -> None:
        """Take results from the queue and write them, as many at once as the store likes."""
        while not (self._ended.is_set() and (self._queue.empty() or self._abandoned.is_set())):
            leaves = []
            with suppress(queue.Empty):
                leaves.append(self._queue.get(timeout=0.1))
                while len(leaves) < self._writer.at_once:
                    leaves.append(self._queue.get_nowait())
            try:
                if leaves and self._error is None:
                    self._writer.write(leaves)
            except BaseException as error:
                self._error = error
            finally:
                for _ in leaves:
                    self._queue.task_done()
                self._bar.update(len(leaves))

    def _leaf(self, fold: int, index: int, params: Mapping, scores: Mapping[str, float]) -> ChildRun:
        tags = {
            "level": "combination",
            "fold": str(fold + 1),
            "key": f"fold-{fold + 1}/{index}",
            "mlflow.parentRunId": self._fold_ids[fold],
        }
        return ChildRun(combination_name(params), {**self._tags, **tags}, strip_step_prefix(params), scores)

    def _delete_strays(self, fold_id: str) -> None:
        """Delete leaves that nobody fills: a server that dies may have made a run whose answer got lost.

        MLflow's client then asks again, and that second run holds the result.
        """
        query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{fold_id}'"
        for stray in search_runs(self.client, self.store.experiment_id, query):
            self.client.delete_run(stray.info.run_id)

    def _log_batch(self, run_id: str, metrics: Mapping | None = None, params: Mapping | None = None) -> None:
        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(key, float(value), now, 0) for key, value in (metrics or {}).items()],
            params=[Param(key, str(value)) for key, value in strip_step_prefix(params or {}).items()],
        )

    def _raise_writers_error(self) -> None:
        if self._error is not None:
            raise RuntimeError(f"a run could not be written to MLflow: {self._error}") from self._error
