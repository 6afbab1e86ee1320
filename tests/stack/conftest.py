import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from helpers.config import ROOT
from helpers.tracking.store import connect
from tests.stack.compose import COMPOSE, Stack
from tests.support.servers import missing, wait


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """Start a Docker engine with the stack's images; ENGINE_DIR names a folder to keep."""
    for program in ("docker", "dockerd", "debootstrap"):
        if shutil.which(program) is None:
            missing(program, "apt-get install docker.io debootstrap iptables")
    if not COMPOSE.exists():
        missing("docker-compose", "pip install -r requirements-infra.txt")
    folder = Path(os.environ.get("ENGINE_DIR", tmp_path_factory.mktemp("engine")))
    subprocess.run([ROOT / "tests" / "stack" / "engine.sh", folder], check=True)
    yield
    pid = folder / "pid"
    if "ENGINE_DIR" not in os.environ and pid.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)
        wait(lambda: not pid.exists(), seconds=60)


@pytest.fixture(scope="package")
def stack(engine, tmp_path_factory):
    """Start the stack from nothing and run all notebooks on it; remove it with its volumes at the end."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with stack.running(), pytest.MonkeyPatch.context() as patch:
        stack.log_in(patch)
        ready = f"{sys.prefix}/.ready"  # this test's environment, unchanged
        stack.make("run", f"VENV={sys.prefix}", "-o", ready)
        yield stack


@pytest.fixture
def client(stack, monkeypatch):
    """Return a user's connection: address and login, nothing else."""
    stack.log_in(monkeypatch)
    return connect()


@pytest.fixture(autouse=True)
def keys_of_this_test(monkeypatch):
    """Let a test's S3 client read the keys in its own environment: boto3 caches the first ones."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
