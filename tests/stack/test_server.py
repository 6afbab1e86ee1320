"""The project against a real MLflow server with logins, PostgreSQL behind it, and MinIO: no containers."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import mlflow
import pytest

from helpers.config import ROOT
from helpers.owners import search
from helpers.registry import staged, versions
from helpers.store import StoreError, connect
from tests.object_stores import minio
from tests.servers import mlflow_server, postgres, wait

pytestmark = pytest.mark.stack

BUCKET, KEY, SECRET = "mlflow", "test-user", "test-password-of-this-run"
ADMIN_PASSWORD = "only-for-this-test-run"
AUTH = """[mlflow]
default_permission = READ
database_uri = {database}
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Return PostgreSQL, MinIO and an MLflow server with logins in front of them."""
    folder = tmp_path_factory.mktemp("services")
    with postgres(folder) as database, minio(folder, KEY, SECRET) as s3:
        keys = {
            "MLFLOW_S3_ENDPOINT_URL": s3.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        bucket = boto3.client("s3", endpoint_url=s3.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        bucket.create_bucket(Bucket=BUCKET)
        config = folder / "basic_auth.ini"
        config.write_text(AUTH.format(database=database.url))
        environment = {
            **keys,
            "MLFLOW_AUTH_CONFIG_PATH": str(config),
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "only-for-this-test-run",
        }
        options = ("--app-name", "basic-auth", "--workers", "2")
        with mlflow_server(folder, database.url, f"proxied-s3://{BUCKET}", environment, *options) as server:
            yield {"mlflow": server, "postgres": database, "minio": s3, "bucket": bucket, "keys": keys}


@pytest.fixture
def client(services, monkeypatch):
    """Return a connection as a user has it: address and login, nothing else."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", services["mlflow"].url)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN_PASSWORD)
    wait(lambda: answers_with_login(services["mlflow"].url))
    return connect()


def answers_with_login(url: str) -> bool:
    import base64

    login = base64.b64encode(f"admin:{ADMIN_PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{url}/api/2.0/mlflow/experiments/search?max_results=1", headers={"Authorization": f"Basic {login}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def train(
    folder: Path, model: str = "tree", grid: str = '{"max_depth": [3, 5]}', **kwargs
) -> subprocess.Popen:
    """Start a training as a user does, by papermill."""
    command = [
        sys.executable,
        "-m",
        "papermill",
        "notebooks/03_train.ipynb",
        str(folder / f"{time.time()}.ipynb"),
    ]
    command += ["-p", "model", model, "-p", "grid", grid, "--no-progress-bar"]
    return subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **kwargs
    )


def test_training_lands_in_postgresql_and_in_the_bucket(services, client, tmp_path):
    process = train(tmp_path)
    assert process.wait(300) == 0, process.stderr.read()
    version = staged(client.client, "tree")
    runs = search(client.client, client.experiment_id, "tags.algorithm = 'tree'")
    levels = sorted(run.data.tags["level"] for run in runs)
    assert levels == ["combination"] * 10 + ["fold"] * 5 + ["model"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    location = client.client.get_run(version.run_id).info.artifact_uri
    assert location.startswith("mlflow-artifacts:/")
    keys = [item["Key"] for item in services["bucket"].list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(key.endswith("model.skops") for key in keys)
    assert any(key.endswith("pickle/model.pkl") for key in keys)


def test_wrong_password_and_no_login_are_refused(services, client, monkeypatch):
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{services['mlflow'].url}/api/2.0/mlflow/experiments/search?max_results=1")
    assert raised.value.code == 401
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(StoreError, match="refuses the login"):
        connect()


def test_stock_client_moves_200_megabytes_without_a_hang(services, client, tmp_path):
    """A client that knows nothing but address, user and password: a process without this package."""
    script = """
import filecmp, mlflow, os, sys
path = sys.argv[1] + "/large.bin"
with open(path, "wb") as file:
    for _ in range(200):
        file.write(os.urandom(1 << 20))
mlflow.set_experiment("stock")
with mlflow.start_run() as run:
    mlflow.log_metric("m", 1)
    mlflow.log_artifact(path)
get = mlflow.artifacts.download_artifacts
back = get(run_id=run.info.run_id, artifact_path="large.bin", dst_path=path + ".d")
assert filecmp.cmp(path, back, shallow=False)
"""
    began = time.monotonic()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "AWS_"))}
    login = {
        k: os.environ[k]
        for k in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    }
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**clean, **login}, check=True, timeout=240
    )
    print(f"200 MB up and down: {time.monotonic() - began:.0f} s")


def test_direct_upload_needs_keys_and_no_proxy(services, client, monkeypatch, tmp_path):
    for name, value in services["keys"].items():
        monkeypatch.setenv(name, value)
    experiment = client.client.create_experiment("direct", artifact_location=f"s3://{BUCKET}/direct")
    run = client.client.create_run(experiment)
    client.client.log_text(run.info.run_id, "straight to the bucket", "note.txt")
    client.client.set_terminated(run.info.run_id)
    key = f"direct/{run.info.run_id}/artifacts/note.txt"
    body = services["bucket"].get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert body == b"straight to the bucket"
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "straight to the bucket"


def test_eight_trainings_at_once_lose_nothing(services, client, tmp_path):
    before = len(versions(client.client, "churn-logreg"))
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: train(tmp_path, "logreg", '{"C": [0.1, 1]}'), range(8)))
    for process in started:
        assert process.wait(500) == 0, process.stderr.read()
    found = versions(client.client, "churn-logreg")
    assert [int(version.version) for version in found] == list(range(1, before + 9))
    assert [version.tags["stage"] for version in found] == ["archived"] * (before + 7) + ["staging"]
    models = search(client.client, client.experiment_id, "tags.level = 'model' and tags.algorithm = 'logreg'")
    leaves = search(
        client.client, client.experiment_id, "tags.level = 'combination' and tags.algorithm = 'logreg'"
    )
    assert len(leaves) == 10 * len(models)
    assert {run.info.status for run in models + leaves} == {"FINISHED"}


def test_server_does_not_send_clients_to_the_object_store(services, client):
    """Of s3:// it would announce presigned transfers, which hang where the S3 server can't be reached."""
    with urllib.request.urlopen(f"{services['mlflow'].url}/api/3.0/mlflow/server-info") as answer:
        said = json.load(answer)
    multipart = {key: value for key, value in said.items() if "multipart" in key}
    assert len(multipart) == 2
    assert not any(multipart.values())


@pytest.mark.parametrize("victim", ["mlflow", "postgres", "minio"])
def test_a_killed_service_loses_nothing_that_was_acknowledged(services, client, tmp_path, victim):
    grid = '{"max_depth": [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}'
    before = len(versions(client.client, "churn-tree"))
    process = train(tmp_path, "tree", grid)
    known = set()

    def under_way() -> bool:
        assert process.poll() is None, process.stderr.read()
        runs = search(
            client.client, client.experiment_id, "tags.level = 'combination' and status = 'FINISHED'"
        )
        known.update(run.info.run_id for run in runs)
        return any(run.info.start_time > began for run in runs)

    began = time.time() * 1000
    wait(under_way, seconds=240)
    services[victim].kill()
    time.sleep(2)
    services[victim].restart()
    wait(lambda: answers_with_login(services["mlflow"].url))
    code = process.wait(400)
    # Nothing that the client was told is stored may be gone.
    for run_id in known:
        assert client.client.get_run(run_id).info.status == "FINISHED"
    after = len(versions(client.client, "churn-tree"))
    assert after == before + (1 if code == 0 else 0)
    if code != 0:
        assert "Error" in process.stderr.read()
    connect()
    process = train(tmp_path)
    assert process.wait(300) == 0, process.stderr.read()
    assert not search(client.client, client.experiment_id, "status = 'RUNNING'")
