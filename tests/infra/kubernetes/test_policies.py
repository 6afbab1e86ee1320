"""The manifests checked by checkov, a policy scanner, in its own environment: it pins many packages."""

import json
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from helpers.config import ROOT
from tests.infra.kubernetes.policies import OVERLAYS

pytestmark = pytest.mark.stack

EXCEPTIONS = yaml.safe_load((ROOT / "infra" / "k8s" / "checkov.yaml").read_text())["skip-check"]


@pytest.fixture(scope="module")
def violations(tmp_path_factory) -> Callable[[Path], set[str]]:
    """Return a function that returns the ids of the policies that a file of manifests violates."""
    home = tmp_path_factory.mktemp("checkov")
    venv.create(home, with_pip=True)
    requirements = ROOT / "requirements-checkov.txt"
    subprocess.run([home / "bin" / "pip", "install", "--quiet", "-r", requirements], check=True)

    def scan(manifests: Path) -> set[str]:
        checkov = home / "bin" / "checkov"
        command = [checkov, "--framework", "kubernetes", "--skip-download", "--output", "json"]
        result = subprocess.run([*command, "--file", manifests], capture_output=True, text=True)
        return {check["check_id"] for check in json.loads(result.stdout)["results"]["failed_checks"]}

    return scan


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_documented_exceptions_are_violated(violations, built, overlay):
    assert violations(built[overlay]) == set(EXCEPTIONS)  # no exception is obsolete


def test_scanner_detects_a_violation(violations, built, tmp_path):
    privileged = tmp_path / "privileged.yaml"
    text = built["single-node"].read_text()
    privileged.write_text(text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))
    assert violations(privileged) - set(EXCEPTIONS) == {"CKV_K8S_20"}
