"""The manifests under a policy scanner, checkov, in an environment of its own: it pins many packages."""

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
def broken(tmp_path_factory) -> Callable[[Path], set[str]]:
    """Return a function that gives the ids of the policies that a file of manifests breaks."""
    home = tmp_path_factory.mktemp("checkov")
    venv.create(home, with_pip=True)
    requirements = ROOT / "requirements-checkov.txt"
    subprocess.run([home / "bin" / "pip", "install", "--quiet", "-r", requirements], check=True)

    def scan(manifests: Path) -> set[str]:
        checkov = home / "bin" / "checkov"
        command = [checkov, "--framework", "kubernetes", "--skip-download", "--output", "json"]
        result = subprocess.run([*command, "--file", manifests], capture_output=True, text=True)
        return {found["check_id"] for found in json.loads(result.stdout)["results"]["failed_checks"]}

    return scan


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_exceptions_are_broken(broken, built, overlay):
    assert broken(built[overlay]) == set(EXCEPTIONS)  # and an exception that is not needed any more goes


def test_the_scanner_finds_what_is_wrong(broken, built, tmp_path):
    privileged = tmp_path / "privileged.yaml"
    text = built["single-node"].read_text()
    privileged.write_text(text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))
    assert broken(privileged) - set(EXCEPTIONS) == {"CKV_K8S_20"}
