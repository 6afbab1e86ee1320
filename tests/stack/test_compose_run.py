"""The compose stack for real: a Docker engine, the project's compose file, a training, and a look inside."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import botocore.exceptions
import pandas as pd
import pytest

from helpers.config import ROOT
from helpers.data import load as load_customers
from helpers.live import load_live
from helpers.owners import search
from helpers.registry import load as load_version
from helpers.registry import promote, staged
from helpers.serving import ask
from helpers.store import connect
from tests.stack.compose import Stack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack(engine, tmp_path_factory):
    """Start the stack; take it away with its volumes in the end."""
    with Stack(tmp_path_factory.mktemp("stack")).running() as stack:
        yield stack


@pytest.fixture
def client(stack, monkeypatch):
    """Return a connection as a user has it: address and login, nothing else."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stack.url)
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, stack.secrets[name])
    return connect()


def test_training_is_in_postgresql_the_bucket_and_the_registry(stack, client, tmp_path):
    command = [sys.executable, "-m", "papermill", "notebooks/03_train.ipynb", str(tmp_path / "out.ipynb")]
    command += ["-p", "model", "knn", "-p", "grid", '{"n_neighbors": [5, 9]}', "--no-progress-bar"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    levels = stack.psql("select value, count(*) from tags where key = 'level' group by value order by value")
    assert levels.splitlines() == ["combination|10", "fold|5", "model|1"]
    assert stack.psql("select distinct status from runs") == "FINISHED"
    assert staged(client.client, "knn").tags["stage"] == "staging"
    keys = [item["Key"] for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]]
    assert any(key.endswith("model.skops") for key in keys)
    assert any(key.endswith("pickle/model.pkl") for key in keys)


def test_service_user_of_the_bucket_can_nothing_else(stack):
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        stack.bucket().create_bucket(Bucket="another")


@pytest.mark.parametrize("login", [None, "wrong"])
def test_requests_without_the_right_login_are_refused(stack, login):
    request = urllib.request.Request(f"{stack.url}/api/2.0/mlflow/experiments/search?max_results=1")
    if login:
        request.add_header("Authorization", "Basic dXNlcjp3cm9uZw==")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 401


def test_foreign_host_names_are_refused(stack):
    request = urllib.request.Request(f"{stack.url}/", headers={"Host": "evil.example.com"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 403


def test_nothing_listens_beyond_loopback(stack):
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout
    for name, port in stack.ports.items():
        if name == "SERVE_PORT":
            continue  # of a profile that is not up
        addresses = {
            line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{port}")
        }
        assert addresses == {f"127.0.0.1:{port}"}, name


def test_jupyter_asks_for_its_token_and_reaches_mlflow(stack):
    port = stack.ports["JUPYTER_PORT"]
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents")
    assert raised.value.code == 403
    token = {"Authorization": f"token {stack.secrets['JUPYTER_TOKEN']}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/contents/notebooks", headers=token)
    with urllib.request.urlopen(request) as answer:
        names = {item["name"] for item in json.load(answer)["content"]}
    assert "03_train.ipynb" in names
    code = "from helpers.store import connect; print(connect().experiment_id)"
    assert stack.compose("exec", "-T", "jupyter", "python", "-c", code).strip().isdigit()


def test_live_model_is_served(stack, client):
    version = staged(client.client, "knn")
    promote(client.client, version.name, version.version, "the only one")
    stack.compose("--profile", "serve", "up", "-d", "--wait", "--wait-timeout", "200", "serve")
    customers = load_customers().head(3)
    served = ask(f"http://127.0.0.1:{stack.ports['SERVE_PORT']}", customers)
    pd.testing.assert_frame_equal(served, load_live(client.client).score(customers), rtol=1e-12)
    stack.compose("--profile", "serve", "stop", "serve")


def test_backup_brings_back_what_was_lost(stack, client, tmp_path):
    model = staged(client.client, "knn")
    folder = stack.script("backup.sh", BACKUP_DIR=str(tmp_path)).split()[-1]
    stack.wait_until_healthy()
    client.client.delete_registered_model(model.name)
    for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]:
        stack.bucket().delete_object(Bucket="mlflow", Key=item["Key"])
    stack.script("restore.sh", folder)
    stack.wait_until_healthy()
    restored = staged(client.client, "knn")
    assert restored.version == model.version
    assert load_version(client.client, restored.name, restored.version).predict is not None


@pytest.mark.parametrize("victim", ["postgres", "minio", "mlflow"])
def test_a_killed_service_comes_back_by_itself(stack, client, victim):
    container = stack.compose("ps", "-q", victim).strip()
    inspect = ["docker", "inspect", "-f", "{{.State.Pid}}", container]
    pid = int(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)
    os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    stack.wait_until_healthy()
    assert staged(client.client, "knn") is not None


def test_data_survive_down_and_up(stack, client):
    before = len(search(client.client, client.experiment_id, ""))
    stack.compose("down", "--timeout", "30")
    stack.up()
    assert len(search(client.client, client.experiment_id, "")) == before
    assert staged(client.client, "knn") is not None
