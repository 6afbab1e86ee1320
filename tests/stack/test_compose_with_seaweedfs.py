"""The Compose stack with SeaweedFS in place of MinIO, by the variables that docs/stack.md gives."""

import re
import shutil
import subprocess

import mlflow
import pytest

from helpers.config import ROOT
from tests.stack.compose import Stack
from tests.support.servers import PYTHON

pytestmark = pytest.mark.stack


def documented_settings() -> dict[str, str]:
    """Return the variables from the documentation."""
    text = (ROOT / "docs" / "stack.md").read_text()
    (block,) = re.findall(r"```ini\n(MINIO_IMAGE=.*?)```", text, re.DOTALL)
    return dict(line.split("=", 1) for line in block.splitlines())


@pytest.fixture(scope="module")
def stack(engine, tmp_path_factory):
    settings, folder = documented_settings(), tmp_path_factory.mktemp("seaweedfs")
    shutil.copy(ROOT / "tests" / "stack" / "images" / "seaweedfs" / "Dockerfile", folder)
    shutil.copy(PYTHON.with_name("weed"), folder)
    subprocess.run(["docker", "build", "-q", "-t", settings["MINIO_IMAGE"], folder], check=True)
    with Stack(tmp_path_factory.mktemp("stack"), **settings).running() as stack:
        yield stack


def test_artifacts_are_in_its_bucket_and_persist_through_a_restart(stack, client):
    run = client.client.create_run(client.experiment_id)
    client.client.log_text(run.info.run_id, "kept", "note.txt")
    keys = [item["Key"] for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]]
    assert [key for key in keys if key.endswith(f"{run.info.run_id}/artifacts/note.txt")]
    stack.compose("restart", "minio")
    stack.wait_until_healthy()
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "kept"


def test_backup_and_restore_need_no_minio(stack, client):
    run = client.client.create_run(client.experiment_id)
    client.client.log_text(run.info.run_id, "copied", "note.txt")
    folder = stack.make("backup").split()[-1]
    stack.wait_until_healthy()
    client.client.log_text(run.info.run_id, "written later", "note.txt")
    stack.make("restore", f"FROM={folder}")
    stack.wait_until_healthy()
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "copied"
