"""The runs of one training: the algorithm's run, under it the folds, under each fold the combinations."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pandas as pd
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from sklearn.model_selection import BaseCrossValidator, ParameterGrid

from helpers.files import sha256
from helpers.table import current_table
from helpers.tracking._mlflow import run_context_tags
from helpers.tracking.progress import progress
from helpers.tracking.rights import EDIT, check_rights
from helpers.tracking.run_writers import ChildRun, QueuedWriter, make_writer
from helpers.tracking.runs import log_dataset, log_values, single_run
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import Store
from helpers.training import combination_name, strip_step_prefix

if TYPE_CHECKING:
    from helpers.search import SearchResult


FOLD_GROUP = "folds/"  # metrics of the model run: the best combination's scores, with the fold as step


class TrainingRun:
    """Tracks a search while it runs; use it in a ``with`` block.

    On entry, checks that the user may write runs and register the model, terminates stale runs and creates
    the model run and its fold runs. At the end of the block the model run is ``FINISHED``, or, with
    everything below it, ``FAILED`` (``KILLED`` if interrupted). A result that cannot be written raises at the
    next `log` or at the end of the search.

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
        self.store, self.algorithm, self.source = store, algorithm, source
        self.data_sha256 = sha256(source)
        self._data = X.assign(**{current_table().target_name: y})
        self._fold_sizes = [(len(train), len(val)) for train, val in cv.split(X, y)]
        self._total = len(ParameterGrid(grid)) * len(self._fold_sizes) if grid else None

    def __enter__(self) -> Self:
        check_rights(self.store.client, {current_table().registered_name(self.algorithm): EDIT})
        self._tags = {**run_context_tags(), "algorithm": self.algorithm}
        tags = {"level": "model", "algorithm": self.algorithm, "data_sha256": self.data_sha256}
        with ExitStack() as stack:
            self.model_run_id = stack.enter_context(single_run(self.store, self.algorithm, tags))
            self._fold_ids = [
                self._create_fold(number, *sizes) for number, sizes in enumerate(self._fold_sizes, 1)
            ]
            log_dataset(self.store, self.model_run_id, self._data, self.source, "training")
            bar = stack.enter_context(progress(self._total, self.algorithm))
            self._writer = stack.enter_context(QueuedWriter(make_writer(self.store), bar.update))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

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
        tags = {
            **self._tags,
            "level": "combination",
            "fold": str(fold + 1),
            "key": f"fold-{fold + 1}/{index}",
            "mlflow.parentRunId": self._fold_ids[fold],
        }
        self._writer.put(ChildRun(combination_name(params), tags, strip_step_prefix(params), scores))

    def drain(self) -> None:
        """Wait until every logged result is written."""
        self._writer.drain()

    def finish_search(self, result: "SearchResult") -> None:
        """Drain the queue, end the fold runs, and log the best combination on the model run."""
        self.drain()
        best = result.best_index_
        for run_id, scores in zip(self._fold_ids, result.fold_scores(best), strict=True):
            log_values(self.store, run_id, metrics=scores)
            self._remove_orphans(run_id)
            self.store.client.set_terminated(run_id)
        self._log_fold_scores(result.fold_scores(best))
        metrics = {f"cv_{name}": value for name, value in result.mean_scores(best).items()}
        params = strip_step_prefix(result.best_params_)
        log_values(self.store, self.model_run_id, metrics=metrics, params=params)

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics on the model run."""
        log_values(self.store, self.model_run_id, metrics=metrics)

    def _create_fold(self, number: int, n_train: int, n_val: int) -> str:
        parent = {"mlflow.parentRunId": self.model_run_id}
        tags = {**self._tags, **parent, "level": "fold", "fold": str(number)}
        run = self.store.client.create_run(self.store.experiment_id, run_name=f"fold-{number}", tags=tags)
        log_values(self.store, run.info.run_id, params={"n_train": n_train, "n_val": n_val})
        return run.info.run_id

    def _log_fold_scores(self, scores: Sequence[Mapping[str, float]]) -> None:
        """Log the folds' scores on the model run, too: a clean-up may delete the fold runs."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(f"{FOLD_GROUP}{name}", value, now, number)
            for number, fold in enumerate(scores, 1)
            for name, value in fold.items()
        ]
        self.store.client.log_batch(self.model_run_id, metrics=metrics)

    def _remove_orphans(self, fold_id: str) -> None:
        """End and delete child runs that nobody finishes.

        If a server crashes after it created a run, MLflow's client retries and creates a second one, which
        gets the result. A user with the right to edit, but not to manage, leaves the first one as ``KILLED``.
        """
        query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{fold_id}'"
        for orphan in search_runs(self.store.client, self.store.experiment_id, query):
            # A deleted run keeps its status.
            self.store.client.set_terminated(orphan.info.run_id, "KILLED")
            try:
                self.store.client.delete_run(orphan.info.run_id)
            except MlflowException as error:
                if error.error_code != "PERMISSION_DENIED":
                    raise
