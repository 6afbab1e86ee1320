"""The MLflow store: an embedded default at the project's root, or what ``MLFLOW_TRACKING_URI`` names."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from helpers.config import EXPERIMENT, ROOT
from helpers.errors import StoreError


@dataclass(frozen=True)
class Store:
    """A checked connection: the client, and the experiment that runs go to."""

    client: MlflowClient
    experiment_id: str


def tracking_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or else the SQLite file at the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT / 'mlflow.db'}"


def connect() -> Store:
    """Connect to the store, making a missing SQLite file and a missing experiment.

    The experiment's name is ``MLFLOW_EXPERIMENT_NAME`` or ``config.EXPERIMENT``. Of a SQLite store, artifacts
    go to ``mlartifacts`` beside the file; a server decides itself. Safe when many processes start at once.

    Raises
    ------
    StoreError
        If a server does not answer or refuses the password, the database's schema is of another MLflow
        version, or the experiment was deleted. Within seconds, and without a password in the message.
    """
    uri = tracking_uri()
    artifacts = None
    if uri.startswith("sqlite"):
        file = Path(make_url(uri).database).resolve()
        prepare(file)
        artifacts = (file.parent / "mlartifacts").as_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with _short_http_timeouts():
            client = MlflowClient()
            client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise StoreError(_explain(uri, str(error))) from error
    experiment_id = _experiment(client, os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT, artifacts)
    mlflow.set_experiment(experiment_id=experiment_id)  # logged models go there, too
    return Store(client, experiment_id)


def prepare(file: Path) -> None:
    """Make a SQLite store complete before anybody can see it; keep one that exists.

    Processes that open an empty database at once trip over each other's schema migration. So each makes a
    finished one under a name of its own and links it into place: the first wins, atomically.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=file.parent) as folder:
        made = Path(folder, "mlflow.db")
        # In a process of its own, so that nothing here holds the file open under its first name.
        opened = f"import mlflow; mlflow.MlflowClient('sqlite:///{made}').search_experiments()"
        done = subprocess.run([sys.executable, "-c", opened], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise StoreError(f"cannot make the store {file}: {done.stderr.strip().splitlines()[-1]}")
        with closing(sqlite3.connect(made)) as database:
            # Kept in the file: readers don't block the writer, and a commit costs one write instead of two.
            database.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(made, file)


@event.listens_for(Engine, "connect")
def _commit_without_waiting_for_the_disk(connection: object, _: object) -> None:
    """Let SQLite's write-ahead log be flushed at checkpoints only.

    A killed process loses nothing and the file stays sound; a power cut can take the last transactions.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        except MlflowException as error:
            # Another process may have made it a moment ago.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise error
    if found.lifecycle_stage == "deleted":
        raise StoreError(
            f"experiment {name!r} was deleted: bring it back with `mlflow experiments restore "
            f"--experiment-id {found.experiment_id}`, or set MLFLOW_EXPERIMENT_NAME to another name"
        )
    return found.experiment_id


@contextmanager
def _short_http_timeouts() -> Iterator[None]:
    """Let a server that is not there fail in seconds; MLflow's default retries go on for minutes."""
    settings = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _explain(uri: str, error: str) -> str:
    parts = urlsplit(uri)
    shown = _without_login(uri)
    if "out-of-date database schema" in error:
        return f"{shown} is of another MLflow version: back it up, then run `mlflow db upgrade {shown}`"
    if "401" in error or "authenticat" in error.lower():
        return f"{shown} refuses the login: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    if parts.password:
        error = error.replace(parts.password, "***")
    return (
        f"no MLflow at {shown}: start it, correct MLFLOW_TRACKING_URI, or unset that to use the embedded "
        f"store ({error[:300]})"
    )


def become_ui(host: str, port: int) -> None:
    """Replace this process by the MLflow UI on the store; for a server, print where its UI is."""
    uri = tracking_uri()
    connect()
    if uri.startswith("http"):
        print(f"The MLflow UI: {_without_login(uri)}")
        return
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--host",
        host,
        "--port",
        str(port),
        "--backend-store-uri",
        uri,
    ]
    os.execv(sys.executable, command)


def _without_login(uri: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
