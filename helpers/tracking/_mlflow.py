"""MLflow names outside its documented API: no other module uses one, and each has a fallback.

| name | gives | without it |
| --- | --- | --- |
| database tables, `SqlAlchemyStore` | child runs inserted in bulk | they are written through the client |
| the store's `engine` | SQLite commits that do not wait for the disk | slower writing |
| `resolve_tags` | who and what made a run | the same tags from public sources, without plug-ins |
| `set_telemetry_client` | an end to telemetry that began at MLflow's import | the variable alone ends it |
| `_get_latest_schema_revision` | which databases are older or newer | MLflow's own check of them |
| `http_request`, `get_default_host_creds` | what a user may do on a server | refusals when it is done |
| `scoring_server.get_cmd`, its `app` | limits, and an end that waits for requests | ``mlflow models serve`` |
"""

import getpass
import json
import logging
import os
import shlex
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import mlflow
from alembic.script import ScriptDirectory
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sqlalchemy import Engine, event, insert


def _optional(module: str, name: str) -> Any:
    """Return a name of a module, or None if this version of MLflow does not have it."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return None


_TABLE_CLASSES = ("SqlRun", "SqlTag", "SqlParam", "SqlMetric", "SqlLatestMetric")
_TABLES = [_optional("mlflow.store.tracking.dbmodels.models", name) for name in _TABLE_CLASSES]
SqlAlchemyStore = _optional("mlflow.store.tracking.sqlalchemy_store", "SqlAlchemyStore")
append_to_uri_path = _optional("mlflow.utils.uri", "append_to_uri_path")
validate_batch = _optional("mlflow.utils.validation", "_validate_batch_log_data")
resolve_tags = _optional("mlflow.tracking.context.registry", "resolve_tags")
latest_schema_revision = _optional("mlflow.store.db.utils", "_get_latest_schema_revision")
http_request = _optional("mlflow.utils.rest_utils", "http_request")
get_default_host_creds = _optional("mlflow.utils.credentials", "get_default_host_creds")
set_telemetry_client = _optional("mlflow.telemetry", "set_telemetry_client")

# What a finished run consists of. A version of MLflow with other columns gets its runs through the client.
_METRIC_COLUMNS = {"run_uuid", "key", "value", "timestamp", "step", "is_nan"}
_COLUMNS = {
    "runs": {
        *("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status"),
        *("start_time", "end_time", "deleted_time", "source_version", "lifecycle_stage", "artifact_uri"),
        "experiment_id",
    },
    "tags": {"run_uuid", "key", "value"},
    "params": {"run_uuid", "key", "value"},
    "metrics": _METRIC_COLUMNS,
    "latest_metrics": _METRIC_COLUMNS,
}
_TABLE_BY_NAME = {table.__tablename__: table for table in _TABLES if table is not None}
DATABASE_IS_KNOWN = (
    None not in (SqlAlchemyStore, append_to_uri_path, validate_batch)
    and {name: set(table.__table__.columns.keys()) for name, table in _TABLE_BY_NAME.items()} == _COLUMNS
)


class RunDatabase:
    """MLflow's own database, opened by this process."""

    def __init__(self, store: Any):
        self._store = store

    def insert(self, rows: Mapping[str, list[dict]]) -> None:
        """Insert rows by table name in one transaction."""
        with self._store.ManagedSessionMaker(read_only=False) as session:
            for table, values in rows.items():
                if values:
                    session.execute(insert(_TABLE_BY_NAME[table]), values)

    def metric_value(self, value: float) -> tuple[bool, float]:
        """Return whether a metric is NaN, and the number that stands for it in the database."""
        return self._store.sanitize_metric_value(value)


def run_database(client: MlflowClient) -> RunDatabase | None:
    """Return the database behind a client; None for a server, or if MLflow's internals have changed."""
    store = _tracking_store(client)
    known = DATABASE_IS_KNOWN and type(store) is SqlAlchemyStore
    if known and hasattr(store, "ManagedSessionMaker") and hasattr(store, "sanitize_metric_value"):
        return RunDatabase(store)
    return None


def artifact_uri(experiment_location: str, run_id: str) -> str:
    """Return where a run of an experiment has its artifacts."""
    return append_to_uri_path(experiment_location, run_id, "artifacts")


def validate(
    metrics: list[Metric], params: list[Param], tags: list[RunTag]
) -> tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]:
    """Return values as MLflow accepts them, before anything is written.

    Raises
    ------
    MlflowException
        If MLflow refuses a key or value. Without MLflow's own check, the store refuses it later.
    """
    return validate_batch(metrics, params, tags) if validate_batch else (metrics, params, tags)


def run_context_tags() -> dict[str, str]:
    """Return the tags that MLflow puts on every run: user, source, and those in ``MLFLOW_RUN_CONTEXT``."""
    if resolve_tags:
        return resolve_tags()
    tags = {
        "mlflow.user": os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser(),
        "mlflow.source.name": sys.argv[0] or "<console>",
        "mlflow.source.type": "LOCAL",
    }
    return tags | json.loads(os.environ.get("MLFLOW_RUN_CONTEXT", "{}"))


def commit_without_waiting(client: MlflowClient) -> None:
    """Let the SQLite file behind a client be flushed at its log's checkpoints only, not at every commit.

    A killed process loses nothing and the file stays sound; a power cut can take the last transactions.
    Only this store's engine changes: other SQLite databases of the process keep their settings.
    """
    engine = getattr(_tracking_store(client), "engine", None)
    if not isinstance(engine, Engine) or engine.dialect.name != "sqlite":
        return
    if not event.contains(engine, "connect", _synchronous_normal):
        event.listen(engine, "connect", _synchronous_normal)
        engine.dispose()  # the pool's open connections are from before


def _synchronous_normal(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def _tracking_store(client: MlflowClient) -> object:
    return getattr(getattr(client, "_tracking_client", None), "store", None)


def schema_revisions() -> tuple[str | None, set[str]]:
    """Return the database schema's revision in this MLflow, and all that it can upgrade from."""
    folder = Path(mlflow.__file__).parent / "store" / "db_migrations"
    if not latest_schema_revision or not folder.is_dir():
        return None, set()
    scripts = ScriptDirectory(str(folder)).walk_revisions()
    return latest_schema_revision(), {script.revision for script in scripts}


def get_json(uri: str, path: str, **params: str) -> dict | None:
    """Return a server's answer to a GET request with the user's login; None if it has no such page."""
    if not http_request or not get_default_host_creds:
        return None
    answer = http_request(get_default_host_creds(uri), path, "GET", params=params)
    try:
        found = answer.json() if answer.status_code == 200 else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def reread_settings(log_level: str | None) -> None:
    """Apply settings that MLflow has read at its import.

    Parameters
    ----------
    log_level : str, optional
        For MLflow's loggers; they are left alone if it is None.
    """
    if set_telemetry_client:
        set_telemetry_client()
    if log_level:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(log_level)


def scoring_app() -> Any:
    """Return MLflow's scoring server for the model of `model_server_command`: an ASGI application."""
    return import_module("mlflow.pyfunc.scoring_server.app").app


def model_server_command(
    app: str, model: str, host: str, port: int, workers: int
) -> tuple[list[str], dict[str, str]]:
    """Return the command that serves a model folder, to be called with Python, and its environment.

    ``app`` names a function that returns the ASGI application around `scoring_app`.

    It is what ``mlflow models serve`` starts as its child. Called without that parent, the server finishes
    the requests in flight when it is stopped.
    """
    if get_cmd := _optional("mlflow.pyfunc.scoring_server", "get_cmd"):  # its module takes a second to import
        command, variables = get_cmd(model, port=port, host=host, nworkers=workers)
        *uvicorn, _ = shlex.split(command)  # the last word is MLflow's application
        return ["-m", *uvicorn, "--factory", app], variables
    options = ["--host", host, "--port", str(port), "--workers", str(workers), "--env-manager", "local"]
    return ["-m", "mlflow", "models", "serve", "--model-uri", model, *options], dict(os.environ)
