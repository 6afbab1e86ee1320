"""The project on a real MLflow server with logins, PostgreSQL and MinIO, without containers."""

import json
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest

from helpers.config import ROOT
from helpers.errors import StoreError
from helpers.registry import production_version, register, staging_version
from helpers.tracking import log_model
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from helpers.training import make_pipeline
from tests.registry.test_promotion_at_once import assert_agree, at_once, promotion
from tests.stack.kills import check_kill, check_recovery
from tests.support.object_stores import minio
from tests.support.servers import mlflow_server, postgres, wait
from tests.support.trainings import training

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
    """Return PostgreSQL, MinIO and an MLflow server with logins on top of them."""
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
            yield {"mlflow": server, "postgres": database, "minio": s3, "bucket": bucket}


@pytest.fixture
def client(services, monkeypatch):
    """Return a user's connection: address and login, nothing else."""
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


def test_training_is_stored_in_postgresql_and_the_bucket(services, client, tmp_path):
    command = training(tmp_path / "out.ipynb", "tree", grid='{"max_depth": [3, 5]}')
    subprocess.run(command, cwd=ROOT, check=True)
    version = staging_version(client.client, "tree")
    runs = search_runs(client.client, client.experiment_id, "tags.algorithm = 'tree'")
    levels = sorted(run.data.tags["level"] for run in runs)
    assert levels == ["combination"] * 10 + ["fold"] * 5 + ["model"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    location = client.client.get_run(version.run_id).info.artifact_uri
    assert location.startswith("mlflow-artifacts:/")
    keys = [item["Key"] for item in services["bucket"].list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(key.endswith("model.skops") for key in keys)
    assert any(key.endswith("pickle/model.pkl") for key in keys)


def test_promotions_at_the_same_moment_agree(client, sample):
    X, y = sample.X_train, sample.y_train
    model = make_pipeline("tree").set_params(classify__max_depth=3).fit(X, y)
    for _ in range(3):
        run = client.client.create_run(client.experiment_id)
        uri = log_model(run.info.run_id, model, X)
        client.client.set_terminated(run.info.run_id)
        version = register(client.client, "tree", uri, run.info.run_id)
        results = at_once(*[promotion(version)] * 3)
        assert set(results) == {str(production_version(client.client).version)}
        assert_agree(client.client)


def test_wrong_password_and_missing_login_are_rejected(services, client, monkeypatch):
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{services['mlflow'].url}/api/2.0/mlflow/experiments/search?max_results=1")
    assert raised.value.code == 401
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(StoreError, match="refuses the login"):
        connect()


def test_server_does_not_send_clients_to_the_object_store(services, client):
    """With s3:// it would announce presigned transfers, which hang if the S3 server is unreachable."""
    with urllib.request.urlopen(f"{services['mlflow'].url}/api/3.0/mlflow/server-info") as answer:
        information = json.load(answer)
    multipart = {key: value for key, value in information.items() if "multipart" in key}
    assert len(multipart) == 2
    assert not any(multipart.values())


@pytest.mark.parametrize("victim", ["mlflow", "postgres", "minio"])
def test_killing_a_service_loses_nothing_acknowledged(services, client, tmp_path, victim):
    def restart() -> None:
        time.sleep(2)
        services[victim].restart()
        wait(lambda: answers_with_login(services["mlflow"].url), services[victim])

    check_kill(client, tmp_path, services[victim].kill, restart)


def test_after_the_kills_a_training_works_and_no_run_is_left_running(client, tmp_path):
    check_recovery(client, tmp_path)
