"""The MLflow store: an embedded default at the project's root, or the one in ``MLFLOW_TRACKING_URI``."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from helpers.config import MLFLOW_DEFAULTS, ROOT, set_mlflow_defaults
from helpers.errors import StoreError
from helpers.masking import mask
from helpers.network import check_address
from helpers.table import current_table
from helpers.tracking._mlflow import commit_without_waiting, reread_settings
from helpers.tracking.database import SECONDS_TO_ANSWER, check_database, database_file, prepare
from helpers.tracking.store_errors import store_errors

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Store:
    """A checked connection: the client, and the experiment that runs go to."""

    client: MlflowClient
    experiment_id: str


def tracking_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or else the SQLite file at the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT / 'mlflow.db'}"


def store_address() -> str:
    """Return the store's URI without credentials, for messages."""
    return mask(tracking_uri())


def connect() -> Store:
    """Connect to the store; create a missing SQLite file and a missing experiment.

    The experiment's name is ``MLFLOW_EXPERIMENT_NAME`` or ``config.EXPERIMENT``. For SQLite, artifacts are
    stored in ``mlartifacts`` beside the file; a server decides for itself. Safe when many processes start at
    the same time. Also sets `config.MLFLOW_DEFAULTS` in this process: telemetry is off from here on. A login
    in a server's URI moves to ``MLFLOW_TRACKING_USERNAME`` and ``..._PASSWORD``, and a relative path of
    SQLite becomes absolute, for this process and its children.

    Raises
    ------
    StoreError
        If the URI cannot be used, a server does not answer or refuses the login, the database cannot be
        written or its schema is from another MLflow version, or the experiment was deleted. Within seconds,
        and without a password in the message.
    """
    _set_mlflow_defaults()
    _check_uri(tracking_uri())
    _move_login()
    uri = tracking_uri()
    with store_errors(uri, connecting=True), short_http_timeouts():
        artifacts = None
        if uri.startswith("sqlite"):
            file = database_file(uri)
            prepare(file)
            artifacts = (file.parent / "mlartifacts").as_uri()
            if str(file) not in uri:  # a relative path: children in other folders shall find the same store
                uri = os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{file}"
        if uri.startswith(DATABASES):
            check_database(uri)
        mlflow.set_tracking_uri(uri)
        client = MlflowClient()
        client.search_experiments(max_results=1)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or current_table().experiment
        experiment_id = _experiment(client, name, artifacts)
        mlflow.set_experiment(experiment_id=experiment_id)  # logged models go there, too
    commit_without_waiting(client)
    return Store(client, experiment_id)


def _set_mlflow_defaults() -> None:
    log_level = None if "MLFLOW_LOGGING_LEVEL" in os.environ else MLFLOW_DEFAULTS["MLFLOW_LOGGING_LEVEL"]
    set_mlflow_defaults()
    reread_settings(log_level)


_moved_to = ""  # the server whose URI had a login


def _move_login() -> None:
    """Take a login out of a server's URI, which MLflow and its libraries print in errors and warnings."""
    global _moved_to
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith(("http://", "https://")):
        return
    login, _, host = urlsplit(uri).netloc.rpartition("@")
    user, _, password = login.partition(":")
    if user and password:
        os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
        os.environ["MLFLOW_TRACKING_URI"] = uri.replace(f"{login}@", "", 1)
        _moved_to = host
    elif _moved_to and host != _moved_to:  # another server never gets this one's login
        for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            os.environ.pop(name, None)
        _moved_to = ""


def _check_uri(uri: str) -> None:
    """Refuse what MLflow would take for a folder, or fail on with a traceback."""
    if uri == "databricks" or uri.startswith("databricks:"):
        return
    try:
        parts = urlsplit(uri)
        no_server = parts.scheme in ("http", "https") and not (parts.hostname and parts.port != 0)
    except ValueError:  # an open bracket, or a port that is no number
        no_server = True
    # A host and port, or a login, without "http://" before it.
    no_server = no_server or not uri.strip() or re.match(r"//|[^/]+@|[\w.-]+:\d", uri) is not None
    if no_server:
        raise StoreError(
            f"MLFLOW_TRACKING_URI={uri!r} is not the address of a store: write http://HOST:PORT for a "
            "server, or unset it to use the embedded store"
        )
    if parts.scheme in ("", "file"):
        raise StoreError(
            f"MLFLOW_TRACKING_URI={uri} is a folder of files, which MLflow no longer writes: use a database, "
            "e.g. sqlite:////home/me/mlflow.db, and `mlflow migrate-filestore` for the runs that it holds"
        )


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
    if experiment.name != name or not experiment.experiment_id:
        raise StoreError(
            f"no MLflow at {store_address()}: its answers are not MLflow's. Correct MLFLOW_TRACKING_URI, or "
            "unset it to use the embedded store"
        )
    if experiment.lifecycle_stage == "deleted":
        raise StoreError(
            f"experiment {name!r} was deleted: bring it back with `mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}`, or set MLFLOW_EXPERIMENT_NAME to another name"
        )
    return experiment.experiment_id


@contextmanager
def short_http_timeouts() -> Iterator[None]:
    """Fail fast if the server is unreachable; MLflow's default retries take minutes."""
    settings = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS_TO_ANSWER),
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


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
        print(f"The MLflow UI: {mask(uri)}")
        return
    check_address(host, port)
    # The URI may hold a password, and anybody on the machine can read a process's arguments.
    variables = {**os.environ, "MLFLOW_BACKEND_STORE_URI": uri}
    command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]
    os.execve(sys.executable, command, variables)
