"""Runs outside the tree, and the table that a run looked at."""

import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.entities import DatasetInput, InputTag, RunTag
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
    store.client.log_batch(run_id, tags=[RunTag("data_sha256", sha256(source))])
