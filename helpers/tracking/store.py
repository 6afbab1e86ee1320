"""The MLflow store: an embedded default at the project's root, or the one in ``MLFLOW_TRACKING_URI``."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from helpers.config import EXPERIMENT, MLFLOW_DEFAULTS, ROOT, set_mlflow_defaults
from helpers.errors import StoreError
from helpers.network import check_address
from helpers.tracking._mlflow import commit_without_waiting, reread_settings

DATABASES = ("postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Store:
    """A checked connection: the client, and the experiment that runs go to."""

    client: MlflowClient
    experiment_id: str


def tracking_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or else the SQLite file at the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT / 'mlflow.db'}"


def connect() -> Store:
    """Connect to the store; create a missing SQLite file and a missing experiment.

    The experiment's name is ``MLFLOW_EXPERIMENT_NAME`` or ``config.EXPERIMENT``. For SQLite, artifacts are
    stored in ``mlartifacts`` beside the file; a server decides for itself. Safe when many processes start at
    the same time. Also sets `config.MLFLOW_DEFAULTS` in this process: telemetry is off from here on.

    Raises
    ------
    StoreError
        If the URI cannot be used, a server does not answer or refuses the login, the database's schema is
        from another MLflow version, or the experiment was deleted. Within seconds, and without a password in
        the message.
    """
    _set_mlflow_defaults()
    uri = tracking_uri()
    artifacts = None
    if uri.startswith("sqlite"):
        file = _database_file(uri)
        prepare(file)
        artifacts = (file.parent / "mlartifacts").as_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with _short_http_timeouts():
            _check_database(uri)
            client = MlflowClient()
            client.search_experiments(max_results=1)
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
            experiment_id = _experiment(client, name, artifacts)
            mlflow.set_experiment(experiment_id=experiment_id)  # logged models go there, too
    except (MlflowException, OSError, SQLAlchemyError, ImportError) as error:
        raise StoreError(_explain(uri, str(error))) from error
    commit_without_waiting(client)
    return Store(client, experiment_id)


def _set_mlflow_defaults() -> None:
    log_level = None if "MLFLOW_LOGGING_LEVEL" in os.environ else MLFLOW_DEFAULTS["MLFLOW_LOGGING_LEVEL"]
    set_mlflow_defaults()
    reread_settings(log_level)


def _database_file(uri: str) -> Path:
    with suppress(ArgumentError):
        database = make_url(uri).database
        if database and database != ":memory:":
            return Path(database).resolve()
    raise StoreError(
        f"MLFLOW_TRACKING_URI={uri} names no file: set it to e.g. sqlite:////home/me/mlflow.db, or unset it "
        "to use the embedded store"
    )


def _check_database(uri: str) -> None:
    """Fail at once if a database does not answer: MLflow would retry for more than a minute."""
    if urlsplit(uri).scheme.startswith(DATABASES):
        engine = create_engine(uri)
        try:
            engine.connect().close()
        finally:
            engine.dispose()


def prepare(file: Path) -> None:
    """Create a complete SQLite store before any process can see it; keep an existing one.

    Processes that open an empty database at the same time race on the schema migration. So each creates a
    complete one under a temporary name and links it into place: the first wins, atomically.
    """
    if file.is_dir():
        raise StoreError(f"MLFLOW_TRACKING_URI: {file} is a folder: name a file in it, e.g. {file}/mlflow.db")
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=file.parent) as folder:
        complete = Path(folder, "mlflow.db")
        # In a process of its own, so that this one never has the file open under its temporary name.
        code = "import sys, mlflow; mlflow.MlflowClient(f'sqlite:///{sys.argv[1]}').search_experiments()"
        command = [sys.executable, "-c", code, str(complete)]
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if process.returncode:
            raise StoreError(f"cannot create the store {file}: {process.stderr.strip().splitlines()[-1]}")
        with closing(sqlite3.connect(complete)) as database:
            # A setting of the file: readers do not block the writer, and a commit costs one write, not two.
            database.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(complete, file)


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:
            # Another process may have created it in the meantime.
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        raise StoreError(
            f"experiment {name!r} was deleted: bring it back with `mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}`, or set MLFLOW_EXPERIMENT_NAME to another name"
        )
    return experiment.experiment_id


@contextmanager
def _short_http_timeouts() -> Iterator[None]:
    """Fail fast if the server is unreachable; MLflow's default retries take minutes."""
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
    address = _without_login(uri)
    if "out-of-date database schema" in error:
        return f"{address} is from another MLflow version: back it up, then run `mlflow db upgrade {address}`"
    if "401" in error or "authenticat" in error.lower():
        return f"{address} refuses the login: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    error = " ".join(error.replace(uri, address).replace(f"{_login(uri)}@", "").split())
    for password in filter(None, {urlsplit(uri).password, unquote(urlsplit(uri).password or "")}):
        error = error.replace(password, "***")
    return (
        f"no MLflow at {address}: start it, correct MLFLOW_TRACKING_URI, or unset it to use the embedded "
        f"store ({error[:300]})"
    )


def _login(uri: str) -> str:
    return urlsplit(uri).netloc.rpartition("@")[0]


def _without_login(uri: str) -> str:
    login = _login(uri)
    return uri.replace(f"{login}@", "", 1) if login else uri


def become_ui(host: str, port: int) -> None:
    """Replace this process by the MLflow UI on the store; for a server, print where its UI is.

    Raises
    ------
    StoreError, SettingError
        If the store cannot be used, or the address.
    """
    connect()
    uri = tracking_uri()
    if uri.startswith("http"):
        print(f"The MLflow UI: {_without_login(uri)}")
        return
    check_address(host, port)
    # The URI may hold a password, and anybody on the machine can read a process's arguments.
    variables = {**os.environ, "MLFLOW_BACKEND_STORE_URI": uri}
    command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]
    os.execve(sys.executable, command, variables)
