"""Runs outside the tree, and the table that a run looked at."""

import itertools
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking.context.registry import resolve_tags

from helpers.config import TARGET
from helpers.files import sha256
from helpers.tracking.provenance import provenance
from helpers.tracking.stale_runs import HEARTBEAT, OWNER, owner, send_heartbeats, terminate_stale_runs
from helpers.tracking.store import Store


@contextmanager
def single_run(store: Store, name: str, tags: Mapping[str, str] | None = None) -> Iterator[str]:
    """Make a run outside the tree, with its name as level, and end it whatever happens.

    Yields
    ------
    str
        The run's id. It ends ``FINISHED``, ``FAILED``, or ``KILLED`` if interrupted.
    """
    terminate_stale_runs(store.client, store.experiment_id)
    own = {**resolve_tags(), "level": name, OWNER: owner(), HEARTBEAT: str(time.time())}
    made = store.client.create_run(
        store.experiment_id, run_name=name, tags={**own, **provenance(), **(tags or {})}
    )
    run_id, status, ended = made.info.run_id, "KILLED", threading.Event()
    threading.Thread(target=send_heartbeats, args=(store.client, run_id, ended), daemon=True).start()
    try:
        yield run_id
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        ended.set()
        store.client.set_terminated(run_id, status)


# What MLflow takes in one `log_batch`: 1,000 values, no more than 100 of them params and 100 tags.
BATCH_PARAMS, BATCH_TAGS, BATCH_METRICS = 100, 100, 800


def log_values(
    store: Store,
    run_id: str,
    *,
    params: Mapping[str, object] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log params, metrics and tags on a run, in as few calls as MLflow allows: mostly one.

    Parameters
    ----------
    store : Store
    run_id : str
        It need not be active.
    params, metrics, tags : dict, optional
        Value by name; params are stored as text.
    """
    now = int(time.time() * 1000)
    all_params = [Param(key, str(value)) for key, value in (params or {}).items()]
    all_metrics = [Metric(key, float(value), now, 0) for key, value in (metrics or {}).items()]
    all_tags = [RunTag(key, str(value)) for key, value in (tags or {}).items()]
    for batch in itertools.count():
        batch_params = all_params[batch * BATCH_PARAMS :][:BATCH_PARAMS]
        batch_metrics = all_metrics[batch * BATCH_METRICS :][:BATCH_METRICS]
        batch_tags = all_tags[batch * BATCH_TAGS :][:BATCH_TAGS]
        if not (batch_params or batch_metrics or batch_tags):
            return
        store.client.log_batch(run_id, metrics=batch_metrics, params=batch_params, tags=batch_tags)


def log_dataset(store: Store, run_id: str, data: pd.DataFrame, source: Path, context: str) -> None:
    """Log a table as a run's dataset input, with the fingerprint of the whole file as tag.

    MLflow's own digest looks at the first 10,000 rows only.

    Parameters
    ----------
    store : Store
    run_id : str
    data : DataFrame
        With the target, where there is one.
    source : Path
        The CSV.
    context : str
        E.g. ``training``.
    """
    targets = TARGET if TARGET in data else None
    with warnings.catch_warnings():
        # That the outcome is an integer, and that MLflow has two readers for a local path: both are fine.
        warnings.simplefilter("ignore", UserWarning)
        dataset = mlflow.data.from_pandas(data, source=str(source), targets=targets, name=source.stem)
        entity = dataset._to_mlflow_entity()
    store.client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", context)])])
    log_values(store, run_id, tags={"data_sha256": sha256(source)})
