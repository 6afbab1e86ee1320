import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.config import EXPERIMENT, ROOT
from helpers.errors import StoreError
from helpers.tracking.store import connect, prepare, tracking_uri
from tests.support import stores

OPEN = "from helpers.tracking.store import connect; store = connect(); print(store.experiment_id)"


def test_default_is_at_the_root_whatever_the_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    for folder in (ROOT, ROOT / "notebooks", tmp_path):
        monkeypatch.chdir(folder)
        assert tracking_uri() == f"sqlite:///{ROOT}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri() == "http://127.0.0.1:5000"


def test_four_processes_may_open_an_empty_store_at_once(tmp_path):
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    children = [
        subprocess.Popen([sys.executable, "-c", OPEN], env=environment, stdout=subprocess.PIPE, cwd=tmp_path)
        for _ in range(4)
    ]
    answers = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len(set(answers)) == 1
    # Nothing half-made is left, and no artifact folder in the current one.
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {
        "mlflow.db", "mlflow.db-wal", "mlflow.db-shm",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_existing_store_is_kept(tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"somebody's data")
    prepare(file)
    assert file.read_bytes() == b"somebody's data"


def test_artifacts_lie_beside_the_database(store):
    experiment = store.client.get_experiment(store.experiment_id)
    assert experiment.name == EXPERIMENT
    folder = Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")).parent
    assert experiment.artifact_location == (folder / "mlartifacts").as_uri()


def test_experiment_name_comes_from_mlflows_variable(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
    other = connect()
    assert other.client.get_experiment(other.experiment_id).name == "another"
    assert other.experiment_id != store.experiment_id


def test_deleted_experiment_says_how_to_bring_it_back(store):
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


def test_absent_server_is_said_soon_and_without_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"no MLflow at http://127\.0\.0\.1:9: start it") as raised:
        connect()
    assert time.monotonic() - began < 30
    assert "secret" not in str(raised.value)


def test_user_store_is_untouched_by_tests():
    assert str(stores.TEMPORARY) in os.environ["MLFLOW_TRACKING_URI"]
