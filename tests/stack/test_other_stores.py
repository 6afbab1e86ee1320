"""Artifacts on servers other than MinIO, by variables alone: SeaweedFS's S3, and Azure Blob (Azurite)."""

import base64
import contextlib
import os
import secrets
from pathlib import Path

import boto3
import mlflow
import pytest

from helpers.tracking.artifacts import log_model
from helpers.tracking.store import connect
from helpers.training.algorithms import make_pipeline
from tests.support.object_stores import azurite, seaweedfs
from tests.support.servers import missing, mlflow_server, wait

pytestmark = pytest.mark.stack

BUCKET = "mlflow"


@contextlib.contextmanager
def on_seaweedfs(folder):
    """Yield the server's artifact destination, its settings, and a function that lists stored objects."""
    user, password = "test-user", secrets.token_hex(16)
    with seaweedfs(folder, user, password, BUCKET) as s3:
        keys = {"aws_access_key_id": user, "aws_secret_access_key": password}
        bucket = boto3.client("s3", endpoint_url=s3.url, region_name="us-east-1", **keys)
        wait(lambda: BUCKET in [item["Name"] for item in bucket.list_buckets()["Buckets"]], s3)
        settings = {key.upper(): value for key, value in keys.items()}
        settings |= {"MLFLOW_S3_ENDPOINT_URL": s3.url, "AWS_DEFAULT_REGION": "us-east-1"}

        def stored() -> list[str]:
            return [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

        yield f"proxied-s3://{BUCKET}", f"s3://{BUCKET}/direct", settings, stored


@contextlib.contextmanager
def on_azurite(folder):
    """Yield the same for Azure Blob storage."""
    try:
        from azure.storage.blob import BlobServiceClient
    except ImportError:
        missing("azure-storage-blob", "pip install -r requirements-infra.txt")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    with azurite(folder, "churn", key) as blobs:
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName=churn;AccountKey={key};BlobEndpoint={blobs.url};"
        )
        container = BlobServiceClient.from_connection_string(connection).create_container(BUCKET)
        destination = f"wasbs://{BUCKET}@churn.blob.core.windows.net"
        settings = {"AZURE_STORAGE_CONNECTION_STRING": connection}
        yield (
            destination,
            f"{destination}/direct",
            settings,
            lambda: [blob.name for blob in container.list_blobs()],
        )


@pytest.fixture(scope="module", params=[on_seaweedfs, on_azurite])
def service(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with request.param(folder) as (destination, direct, settings, stored):
        backend = f"sqlite:///{folder}/mlflow.db"
        with mlflow_server(folder, backend, destination, settings, "--workers", "1") as server:
            yield server.url, direct, settings, stored


@pytest.fixture
def store(service, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", service[0])
    return connect()


def test_a_model_is_stored_through_the_server_and_loads(service, store, sample):
    X, y = sample.X_train, sample.y_train
    model = make_pipeline("tree").set_params(classify__max_depth=3).fit(X, y)
    run = store.client.create_run(store.experiment_id)
    uri = log_model(run.info.run_id, model, X)
    loaded = mlflow.sklearn.load_model(uri)
    assert (loaded.predict_proba(X) == model.predict_proba(X)).all()
    assert any(name.endswith("model.skops") for name in service[3]())


def test_a_large_file_is_downloaded_unchanged(service, store, tmp_path):
    file = tmp_path / "large.bin"
    file.write_bytes(os.urandom(30 << 20))
    run = store.client.create_run(store.experiment_id)
    store.client.log_artifact(run.info.run_id, str(file))
    target = tmp_path / "download"
    target.mkdir()
    copy = store.client.download_artifacts(run.info.run_id, "large.bin", str(target))
    assert Path(copy).read_bytes() == file.read_bytes()


def test_direct_upload_needs_only_the_keys(service, store, monkeypatch):
    _, direct, settings, stored = service
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    experiment = store.client.create_experiment("direct", artifact_location=direct)
    run = store.client.create_run(experiment)
    store.client.log_text(run.info.run_id, "straight to the store", "note.txt")
    assert f"direct/{run.info.run_id}/artifacts/note.txt" in stored()
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "straight to the store"
