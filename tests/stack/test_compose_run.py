"""The compose stack for real: a Docker engine, the project's compose file, a training, and a look inside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import botocore.exceptions
import numpy as np
import pytest

from helpers.config import FEATURES, ROOT
from helpers.data import load as load_customers
from helpers.owners import search
from helpers.registry import load as load_version
from helpers.registry import promote, staged
from helpers.store import connect
from tests.servers import free_port, missing, wait

pytestmark = pytest.mark.stack

INFRA = ROOT / "infra"
COMPOSE = Path(sys.executable).with_name("docker-compose")


class Stack:
    """A running stack of this test's own: its name, ports, secrets and volumes."""

    def __init__(self, folder: Path):
        (folder / "k8s").mkdir()
        shutil.copy(INFRA / "k8s" / "make_secrets.py", folder / "k8s")
        command = [sys.executable, folder / "k8s" / "make_secrets.py", "compose"]
        subprocess.run(command, check=True, capture_output=True)
        self.env_file = folder / ".env"
        self.secrets = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines())
        services = ("MLFLOW", "MINIO", "MINIO_CONSOLE", "JUPYTER", "SERVE")
        self.ports = {f"{name}_PORT": free_port() for name in services}
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": f"churn-test-{os.getpid()}",
            "COMPOSE": f"{COMPOSE} --env-file {self.env_file}",
            # Stand-ins exist under these names; a builder that asks a registry first would not find it.
            "DOCKER_BUILDKIT": "0",
            **{name: str(port) for name, port in self.ports.items()},
        }
        self.url = f"http://127.0.0.1:{self.ports['MLFLOW_PORT']}"

    def compose(self, *arguments: str, **kwargs) -> str:
        command = [str(COMPOSE), "--env-file", str(self.env_file), "--project-directory", str(INFRA)]
        command += ["-f", str(INFRA / "docker-compose.yml"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, **kwargs)
        assert done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> None:
        try:
            self.compose("up", "-d", "--wait", "--wait-timeout", "300")
        except AssertionError:
            print(self.compose("ps", "-a"), self.compose("logs", "--tail", "40"))
            raise

    def script(self, name: str, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            ["sh", INFRA / name, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def psql(self, query: str) -> str:
        return self.compose(
            "exec", "-T", "postgres", "psql", "-U", "mlflow", "-d", "mlflow", "-Atc", query
        ).strip()

    def bucket(self):
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.ports['MINIO_PORT']}",
            aws_access_key_id=self.secrets["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.secrets["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Start the engine where there is none, then the stack; take both away in the end."""
    for program in ("docker", "dockerd", "debootstrap"):
        if shutil.which(program) is None:
            missing(program, "apt-get install docker.io debootstrap iptables")
    if not COMPOSE.exists():
        missing("docker-compose", "pip install -r requirements-infra.txt")
    engine = Path(os.environ.get("ENGINE_DIR", tmp_path_factory.mktemp("engine")))
    subprocess.run([ROOT / "tests" / "stack" / "engine.sh", engine], check=True)
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.compose("build")
        stack.up()
        yield stack
    finally:
        stack.compose("down", "-v", "--timeout", "5")
        pid = engine / "pid"
        if "ENGINE_DIR" not in os.environ and pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            wait(lambda: not pid.exists(), seconds=60)


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
    customers = load_customers().head(3)[FEATURES]
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.ports['SERVE_PORT']}/invocations",
        data=json.dumps({"dataframe_split": customers.to_dict(orient="split")}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        served = json.load(answer)["predictions"]
    model = load_version(client.client, version.name, version.version)
    np.testing.assert_allclose(served, model.predict_proba(customers))
    stack.compose("--profile", "serve", "stop", "serve")


def test_backup_brings_back_what_was_lost(stack, client, tmp_path):
    model = staged(client.client, "knn")
    folder = stack.script("backup.sh", BACKUP_DIR=str(tmp_path)).split()[-1]
    wait_until_healthy(stack)
    client.client.delete_registered_model(model.name)
    for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]:
        stack.bucket().delete_object(Bucket="mlflow", Key=item["Key"])
    stack.script("restore.sh", folder)
    wait_until_healthy(stack)
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
    wait_until_healthy(stack)
    assert staged(client.client, "knn") is not None


def test_data_survive_down_and_up(stack, client):
    before = len(search(client.client, client.experiment_id, ""))
    stack.compose("down", "--timeout", "30")
    stack.up()
    assert len(search(client.client, client.experiment_id, "")) == before
    assert staged(client.client, "knn") is not None


def wait_until_healthy(stack: Stack) -> None:
    def healthy() -> bool:
        lines = stack.compose("ps", "--format", "json").splitlines()
        states = {item["Service"]: item for item in map(json.loads, lines)}
        return (
            states.get("mlflow", {}).get("Health") == "healthy"
            and states.get("postgres", {}).get("Health") == "healthy"
            and states.get("minio", {}).get("State") == "running"
            and logged_in(stack)
        )

    wait(healthy, seconds=180)


def logged_in(stack: Stack) -> bool:
    try:
        connect()
    except Exception:
        return False
    return True
