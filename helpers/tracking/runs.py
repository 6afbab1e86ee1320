"""Runs: opened with their owner, heartbeat and provenance, ended whatever happens; what is logged on them."""

import atexit
import hashlib
import itertools
import json
import re
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from helpers.config import PACKAGES, ROOT
from helpers.errors import StoreError
from helpers.files import sha256
from helpers.table import current_table
from helpers.tracking._mlflow import run_context_tags
from helpers.tracking.rights import check_rights
from helpers.tracking.stale_runs import (
    HEARTBEAT,
    OWNER,
    owner,
    send_heartbeats,
    terminate_run,
    terminate_stale_runs,
)
from helpers.tracking.store import Store, short_http_timeouts, tracking_uri
from helpers.tracking.store_errors import store_errors

# MLflow's limits for one `log_batch`: 1,000 values, at most 100 of them params and 100 tags.
LONGEST_TAG = 1000  # characters; renamed columns can be many
_READER = "data_reader.json"
LONGEST_PART = 60  # characters of a metric's name between slashes
BATCH_PARAMS, BATCH_TAGS, BATCH_METRICS = 100, 100, 800


@contextmanager
def single_run(store: Store, name: str, tags: Mapping[str, str] | None = None) -> Iterator[str]:
    """Open a run, and end it and the runs below it whatever happens.

    Stale runs of the experiment are terminated first.

    Parameters
    ----------
    store : Store
    name : str
        Also the tag ``level``.
    tags : dict, optional
        They take precedence over the tags that every run gets.

    Yields
    ------
    str
        The run's id. It ends ``FINISHED``, ``FAILED``, or ``KILLED`` if interrupted.

    Raises
    ------
    StoreError
        If the store fails, or the user may not write to it.
    """
    client, experiment_id = store.client, store.experiment_id
    check_rights(client)
    terminate_stale_runs(client, experiment_id)
    own_tags = {"level": name, OWNER: owner(), HEARTBEAT: str(time.time())}
    all_tags = {**run_context_tags(), **own_tags, **provenance(), **(tags or {})}
    run_id = client.create_run(experiment_id, run_name=name, tags=all_tags).info.run_id
    ended = threading.Event()
    threading.Thread(target=send_heartbeats, args=(client, run_id, ended), daemon=True).start()
    try:
        with store_errors(tracking_uri()):
            yield run_id
            terminate_run(client, experiment_id, run_id, "FINISHED")
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        if _end(store, run_id, status, quickly=isinstance(error, StoreError)):
            raise
        # The store is what failed, e.g. its disk is full.
        atexit.register(_end, store, run_id, status)
        if not isinstance(error, StoreError):
            raise
        raise StoreError(
            f"{error}. The run {run_id} is still RUNNING: it is ended when this process ends, or by the next "
            "run of the experiment, as soon as the store can be written"
        ) from None
    finally:
        ended.set()


def _end(store: Store, run_id: str, status: str, quickly: bool = True) -> bool:
    """Try to end a run and the runs below it; tell whether that worked."""
    try:
        with short_http_timeouts() if quickly else nullcontext():
            terminate_run(store.client, store.experiment_id, run_id, status)
    except (MlflowException, SQLAlchemyError, RequestException):
        return False
    return True


@cache
def provenance() -> dict[str, str]:
    """Return tags: ``mlflow.source.git.commit`` where there is one, and ``version.<package>``."""
    tags = {f"version.{name}": version(name) for name in PACKAGES}
    if (commit := _commit()) is not None:
        tags["mlflow.source.git.commit"] = commit
    return tags


def _commit() -> str | None:
    """Return the project's commit; None without git, or outside a checkout (an image, an archive)."""
    if not (ROOT / ".git").exists():
        return None
    try:
        git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return git.stdout.strip() if git.returncode == 0 else None


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


def metric_name(*parts: str) -> str:
    """Return a metric's name in its group, ``group/subject``, whatever the subject is called.

    Blanks become underscores. So does what MLflow refuses; the part then ends with a fingerprint of its own.
    """
    return "/".join(map(_name_part, parts))


def _name_part(part: str) -> str:
    plain = part.replace(" ", "_")
    allowed = re.sub(r"[^\w.-]", "_", plain)[:LONGEST_PART]
    changed = allowed != plain or not allowed.strip(".")
    return f"{allowed}-{hashlib.sha256(part.encode()).hexdigest()[:6]}" if changed else plain


def log_dataset(store: Store, run_id: str, data: pd.DataFrame, source: Path, context: str) -> None:
    """Log a table as a run's dataset input, with the fingerprint of the whole file as tag.

    MLflow's own digest covers the first 10,000 rows only. If the file is not written as the project writes
    its own, a tag and an artifact tell how it was read.

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
    target = current_table().target_name
    targets = target if target in data else None
    with warnings.catch_warnings():
        # The outcome is an integer column, and MLflow has two readers for a local path: both are fine.
        warnings.simplefilter("ignore", UserWarning)
        table = from_pandas(data, source=str(source), targets=targets, name=source.stem)
        dataset = Dataset(**table.to_dict())
    store.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])
    tags = {"data_sha256": sha256(source)}
    if script := data.attrs.get("script"):
        store.client.log_dict(run_id, script, _READER)
        tags["data_format"] = script["format"][:LONGEST_TAG]
    log_values(store, run_id, tags=tags)


def logged_reader(client: MlflowClient, run_id: str) -> dict[str, Any] | None:
    """Return how a run's table is read, see `script_export.pipeline_source`; None if in the usual way."""
    if "data_format" not in client.get_run(run_id).data.tags:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_artifacts(run_id, _READER, folder)
        return json.loads(Path(path).read_text(encoding="utf-8"))
