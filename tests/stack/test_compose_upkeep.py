"""Operating the Compose stack: backup and restore, killed services, down and up."""

import base64
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.errors import StoreError
from helpers.registry import list_versions, load_version, staging_version
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from tests.stack.compose import Stack
from tests.stack.kills import check_kill, check_recovery
from tests.support.servers import wait

pytestmark = pytest.mark.stack

# The schema as it was before MLflow had workspaces.
MIGRATE_TO_OLDER = """
import os, sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
url = os.environ["MLFLOW_BACKEND_STORE_URI"]
Base.metadata.create_all(sqlalchemy.create_engine(url))
command.upgrade(_get_alembic_config(url), "1bd49d398cd23")
"""
TABLE = "/retrain/customers-of-a-test.csv"


def in_monitor(stack: Stack, command: str) -> str:
    """Run a command in a container of the service that writes ``/retrain``."""
    return stack.compose("run", "-T", "--rm", "--no-deps", "monitor", "sh", "-c", command)


@pytest.fixture(scope="module")
def backup(stack) -> Path:
    """Return the folder of a backup after all notebooks ran."""
    in_monitor(stack, f"echo kept > {TABLE}")
    folder = stack.root / stack.make("backup").split()[-1]
    stack.wait_until_healthy()
    return folder


def test_restore_recovers_everything_deleted(stack, client, backup):
    model = staging_version(client.client, "knn")
    assert {file.stat().st_mode & 0o777 for file in backup.iterdir()} == {0o600}
    client.client.delete_registered_model(model.name)
    for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]:
        stack.bucket().delete_object(Bucket="mlflow", Key=item["Key"])
    in_monitor(stack, "rm -r /retrain/*")
    stack.make("restore", f"FROM={backup}")
    stack.wait_until_healthy()
    restored = staging_version(client.client, "knn")
    assert restored.version == model.version
    assert load_version(client.client, restored.name, restored.version).predict is not None
    assert stack.compose("exec", "-T", "jupyter", "cat", TABLE) == "kept\n"


@pytest.mark.parametrize("part", ["minio.tar", "mlflow.dump"])
def test_a_broken_backup_changes_nothing(stack, client, backup, tmp_path, part):
    model = staging_version(client.client, "knn")
    client.client.set_model_version_tag(model.name, model.version, "after", "the backup")
    broken = shutil.copytree(backup, tmp_path / "broken")
    os.truncate(broken / part, (backup / part).stat().st_size // 2)
    with pytest.raises(AssertionError, match=r"tar: |pg_restore: "):
        stack.make("restore", f"FROM={broken}")
    stack.wait_until_healthy()
    model = staging_version(client.client, "knn")
    assert model.tags["after"] == "the backup"
    assert load_version(client.client, model.name, model.version).predict is not None
    assert stack.compose("exec", "-T", "minio", "ls", "-A", "/data").split() == [".minio.sys", "mlflow"]


def test_restore_migrates_a_backup_of_an_older_mlflow(stack, client, backup, tmp_path):
    older = shutil.copytree(backup, tmp_path / "older")
    stack.compose("exec", "-T", "postgres", "createdb", "-U", "mlflow", "older")
    migrate = ["run", "-T", "--rm", "--no-deps", "-e", "PGDATABASE=older", "--entrypoint", "python"]
    stack.compose(*migrate, "mlflow-migrate", "-c", MIGRATE_TO_OLDER)
    row = "insert into experiments (name, artifact_location, lifecycle_stage) values ('old', 'x', 'active')"
    stack.compose("exec", "-T", "postgres", "psql", "-U", "mlflow", "-d", "older", "-c", row)
    dump = ["exec", "-T", "postgres", "pg_dump", "-U", "mlflow", "-d", "older", "--format=custom"]
    stack.compose(*dump, "--file=/var/run/postgresql/older.dump")
    read = ["exec", "-T", "postgres", "base64", "/var/run/postgresql/older.dump"]
    (older / "mlflow.dump").write_bytes(base64.b64decode(stack.compose(*read)))
    stack.make("restore", f"FROM={older}")
    stack.wait_until_healthy()
    assert client.client.get_experiment_by_name("old").lifecycle_stage == "active"
    assert not list_versions(client.client, "churn-knn")
    stack.make("restore", f"FROM={backup}")
    stack.wait_until_healthy()
    assert list_versions(client.client, "churn-knn")


def test_a_changed_password_applies_from_the_next_start(stack, client):
    file = stack.root / "infra" / ".env"
    before = file.read_text()
    file.write_text(before.replace(stack.secrets["MLFLOW_TRACKING_PASSWORD"], "another-one-of-this-test"))
    try:
        stack.up()
        with pytest.raises(StoreError, match="refuses the login"):
            connect()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_PASSWORD", "another-one-of-this-test")
            connect()
    finally:
        file.write_text(before)
        stack.up()
    connect()


def process_of(stack: Stack, service: str) -> int:
    """Return the process id of a service on this machine; 0 if it is not running."""
    container = stack.compose("ps", "-aq", service).strip()
    inspect = ["docker", "inspect", "-f", "{{.State.Pid}}", container]
    return int(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)


def kill(stack: Stack, service: str) -> None:
    """Kill -9 a service; the engine restarts it."""
    pid = process_of(stack, service)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: process_of(stack, service) not in (0, pid))


@pytest.mark.parametrize("victim", ["postgres", "minio", "mlflow"])
def test_killing_a_service_during_a_training_loses_nothing_acknowledged(stack, client, tmp_path, victim):
    check_kill(client, tmp_path, lambda: kill(stack, victim), stack.wait_until_healthy)


def test_after_the_kills_a_training_works_and_no_run_is_left_running(client, tmp_path):
    check_recovery(client, tmp_path)


def test_runs_of_a_killed_jupyter_are_terminated(stack, client):
    def train(model: str) -> str:
        command = ["papermill", "notebooks/03_train.ipynb", "/tmp/out.ipynb", "-p", "model", model]
        return stack.compose("exec", "-T", "jupyter", *command)

    def running(level: str) -> list:
        query = f"attributes.status = 'RUNNING' and tags.level = '{level}'"
        return search_runs(client.client, client.experiment_id, query)

    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(train, "forest")
        wait(lambda: running("fold"))
        (model,) = running("model")
        kill(stack, "jupyter")
        with pytest.raises(AssertionError):
            training.result()
    stack.wait_until_healthy()
    train("logreg")  # the next training terminates the stale runs
    assert client.client.get_run(model.info.run_id).info.status == "KILLED"
    assert stack.psql("select count(*) from runs where status = 'RUNNING'") == "0"


@pytest.mark.parametrize("victim", ["serve", "monitor"])
def test_a_killed_service_is_restarted(stack, victim):
    stack.start(victim)
    kill(stack, victim)
    stack.wait_until_healthy(victim)


def test_data_persist_through_down_and_up(stack, client):
    before = len(search_runs(client.client, client.experiment_id, ""))
    stack.make("down")
    assert not stack.compose("ps", "-aq")
    stack.up()
    assert len(search_runs(client.client, client.experiment_id, "")) == before
    assert staging_version(client.client, "knn") is not None
