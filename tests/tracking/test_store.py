import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
import sqlalchemy
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from helpers.config import MLFLOW_DEFAULTS, ROOT
from helpers.errors import StoreError
from helpers.network import free_port
from helpers.tracking import become_ui, connect, tracking_uri
from helpers.tracking.database import prepare
from tests.support import stores
from tests.support.bank import EXPERIMENT
from tests.support.command import churn
from tests.support.servers import answers, mlflow_server, running

OPEN = "from helpers.tracking import connect; store = connect(); print(store.experiment_id)"


def test_default_store_is_at_the_root_from_every_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    for folder in (ROOT, ROOT / "notebooks", tmp_path):
        monkeypatch.chdir(folder)
        assert tracking_uri() == f"sqlite:///{ROOT}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri() == "http://127.0.0.1:5000"


def test_four_processes_can_open_an_empty_store_at_the_same_time(tmp_path):
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    children = [
        subprocess.Popen([sys.executable, "-c", OPEN], env=environment, stdout=subprocess.PIPE, cwd=tmp_path)
        for _ in range(4)
    ]
    outputs = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len(set(outputs)) == 1
    # No temporary file is left, and no artifact folder in the current one.
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {
        "mlflow.db", "mlflow.db-wal", "mlflow.db-shm",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_existing_store_is_kept(tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"a user's data")
    prepare(file)
    assert file.read_bytes() == b"a user's data"


def test_artifacts_are_stored_beside_the_database(store):
    experiment = store.client.get_experiment(store.experiment_id)
    assert experiment.name == EXPERIMENT
    folder = Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")).parent
    assert experiment.artifact_location == (folder / "mlartifacts").as_uri()


def test_experiment_name_comes_from_mlflows_variable(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
    other = connect()
    assert other.client.get_experiment(other.experiment_id).name == "another"
    assert other.experiment_id != store.experiment_id


def test_deleted_experiment_says_how_to_restore_it(store):
    store.client.delete_experiment(store.experiment_id)
    command = f"mlflow experiments restore --experiment-id {store.experiment_id}"
    with pytest.raises(StoreError, match=command):
        connect()


def test_old_database_says_how_to_upgrade(store):
    with sqlite3.connect(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")) as database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    child = subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True)
    assert "StoreError" in child.stderr
    assert "mlflow db upgrade" in child.stderr


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:secret@127.0.0.1:9",
        "http://user:s%21cret@127.0.0.1:9/mlflow",
        "postgresql+psycopg2://user:secret@127.0.0.1:9/mlflow",
        "ftp://user:secret@127.0.0.1/mlflow",
    ],
)
def test_store_that_does_not_answer_is_reported_soon_and_without_the_login(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    began = time.monotonic()
    address = uri.partition("//")[0] + "//" + uri.rpartition("@")[2]
    with pytest.raises(StoreError, match="start it") as raised:
        connect()
    assert time.monotonic() - began < 30
    assert str(raised.value).startswith(f"no MLflow at {address}: ")
    assert not any(part in str(raised.value) for part in ("user", "secret", "s%21cret", "s!cret", "\n"))


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "sqlite:"])
def test_sqlite_without_a_file_is_rejected(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(
        StoreError, match=f"MLFLOW_TRACKING_URI={uri} names no file: set it to e.g. sqlite:///"
    ):
        connect()


@pytest.mark.parametrize(
    "uri",
    [
        "127.0.0.1:5000",
        "localhost:5000",
        "user:s3cret@127.0.0.1:5000",
        "//user:s3cret@127.0.0.1:5000",
        "http:/user:s3cret@127.0.0.1:5000",
        "http://user:s3cret@[::1",
        "http://user:s3cret@127.0.0.1:port",
        " ",
    ],
)
def test_mistyped_address_is_refused_as_such_without_the_login(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(StoreError, match="is not the address of a store: write http://HOST:PORT") as raised:
        connect()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("uri", ["mlruns", "/home/me/mlruns", "file:///home/me@work/mlruns"])
def test_folder_of_files_is_refused_with_what_to_use(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(StoreError, match=f"{uri} is a folder of files.*mlflow migrate-filestore"):
        connect()


@pytest.mark.parametrize("method", ["get_experiment_by_name", "create_experiment"])
def test_store_that_fails_after_the_first_answer_is_reported(monkeypatch, method):
    def fail(*_, **__):
        raise MlflowException("the disk is full")

    monkeypatch.setattr(MlflowClient, method, fail)
    with stores.in_use(stores.empty()), pytest.raises(StoreError, match=r"the disk of .* is full"):
        connect()


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--only", "01_eda"],
        ["train", "--models", "knn"],
        ["score", "--out", "scores.csv"],
        ["serve"],
        ["monitor"],
        ["retrain", "--batch", str(ROOT / "data" / "new_customers.csv")],
        ["ui"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_reports_an_unusable_store_in_one_line(monkeypatch, tmp_path, capsys, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite://")
    assert churn(*command) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("Error: MLFLOW_TRACKING_URI=sqlite:// names no file: ")
    assert output.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def synchronous(engine: sqlalchemy.Engine) -> int:
    with engine.connect() as connection:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar()


def test_only_the_stores_own_engine_commits_without_waiting_for_the_disk(store, tmp_path):
    connect()  # once more changes nothing
    other = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    assert synchronous(other) == 2
    engine = store.client._tracking_client.store.engine
    barrier, results = threading.Barrier(4), []

    def ask() -> None:
        with engine.connect() as connection:
            barrier.wait()  # so that each thread has a connection of its own
            results.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 4
    assert synchronous(other) == 2


SILENT = """
import logging, os, socket, sys, threading
sent = []
sys.addaudithook(lambda event, args: sent.append(args) if event == "socket.connect" else None)
import mlflow, mlflow.telemetry
import helpers.tracking as tracking
assert mlflow.telemetry.get_telemetry_client() is not None  # as MLflow starts without this project's settings
with tracking.single_run(tracking.connect(), "test"):
    mlflow.log_metric("value", 1.0)
assert mlflow.telemetry.get_telemetry_client() is None
assert not [thread.name for thread in threading.enumerate() if "Telemetry" in thread.name]
assert sent == [], sent
assert logging.getLogger("mlflow").level == logging.ERROR
"""


def without_settings(tmp_path) -> dict[str, str]:
    """Return an environment in which MLflow's telemetry is on."""
    names = {*MLFLOW_DEFAULTS, "DO_NOT_TRACK", "CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST"}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    return environment | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}


def test_nothing_is_sent_home_and_nothing_is_printed(tmp_path):
    with stores.in_use(stores.empty()):
        environment = without_settings(tmp_path)
    child = subprocess.run([sys.executable, "-c", SILENT], env=environment, capture_output=True, text=True)
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


def test_settings_of_the_user_are_kept(monkeypatch):
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "INFO")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    with stores.in_use(stores.empty()):
        connect()
    assert os.environ["MLFLOW_LOGGING_LEVEL"] == "INFO"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_ui_opens_on_the_embedded_store_and_stops(tmp_path):
    port = free_port()
    url, uri = f"http://127.0.0.1:{port}", f"sqlite:///{tmp_path}/mlflow.db"

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "helpers", "ui", "--port", str(port)]
        environment = without_settings(tmp_path) | {"MLFLOW_TRACKING_URI": uri}
        with open(tmp_path / "ui.log", "wb") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=tmp_path, start_new_session=True
            )

    with running(url, start, lambda: answers(f"{url}/health")) as server:
        process = psutil.Process(server.process.pid)
        assert not any(uri in " ".join(child.cmdline()) for child in [process, *process.children()])
        assert process.environ()["MLFLOW_DISABLE_TELEMETRY"] == "true"
        with urllib.request.urlopen(f"{url}/ajax-api/3.0/mlflow/ui-telemetry") as response:
            assert b'"disable_ui_telemetry":true' in response.read().replace(b" ", b"")
        names = [experiment.name for experiment in MlflowClient(url).search_experiments()]
        assert EXPERIMENT in names
        children = process.children(recursive=True)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(120) is not None
        _, alive = psutil.wait_procs(children, timeout=120)
        assert not alive
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.stack
def test_ui_of_a_server_is_named_without_the_login(tmp_path, monkeypatch, capsys):
    with mlflow_server(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "artifacts")) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url.replace("//", "//user:secret@"))
        become_ui("127.0.0.1", 5000)
    assert capsys.readouterr().out == f"The MLflow UI: {server.url}\n"


def test_user_store_is_untouched_by_tests():
    assert str(stores.TEMPORARY) in os.environ["MLFLOW_TRACKING_URI"]
