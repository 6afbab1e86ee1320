"""The Compose stack of a test: started by `make` in its own copy of the project."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import boto3
import pytest

from helpers.config import ROOT
from helpers.network import free_port
from helpers.tracking.store import connect
from tests.support.servers import wait

COMPOSE = Path(sys.executable).with_name("docker-compose")
SERVICES = ("postgres", "minio", "mlflow", "jupyter")
SECRET_OR_GENERATED = shutil.ignore_patterns(".env", "*.env", "__pycache__", ".ipynb_checkpoints", "build")


def copy_project(target: Path) -> None:
    """Copy the part of a fresh clone that the stack needs: the images' build context, infra, the Makefile."""
    context = (ROOT / ".dockerignore").read_text().splitlines()
    names = {line[1:].split("/")[0] for line in context if line.startswith("!")}
    for name in names | {".dockerignore", "Makefile"}:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=SECRET_OR_GENERATED)
        else:
            shutil.copy2(ROOT / name, target / name)


class Stack:
    """A separate stack: name, ports, secrets and volumes of its own; ``settings`` go into its ``.env``."""

    def __init__(self, folder: Path, **settings: str):
        self.root = folder / "project"
        self.root.mkdir()
        copy_project(self.root)
        names = ("MLFLOW", "MINIO", "MINIO_CONSOLE", "JUPYTER", "SERVE")
        self.ports = {f"{name}_PORT": free_port() for name in names}
        self.settings = {
            "COMPOSE_PROJECT_NAME": f"churn-test-{os.getpid()}-{free_port()}",
            "COMPOSE": str(COMPOSE),
            # The tests' images have these names; BuildKit would ask a registry for them first.
            "DOCKER_BUILDKIT": "0",
            "MONITOR_EVERY": "2",
            **{name: str(port) for name, port in self.ports.items()},
        }
        self.url = f"http://127.0.0.1:{self.ports['MLFLOW_PORT']}"
        if settings:
            self.make("infra/.env")
            with (self.root / "infra" / ".env").open("a") as file:
                file.writelines(f"{name}={value}\n" for name, value in settings.items())

    @cached_property
    def secrets(self) -> dict[str, str]:
        lines = (self.root / "infra" / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def log_in(self, patch: pytest.MonkeyPatch) -> None:
        """Set the variables in this process that a user of the stack sets."""
        patch.setenv("MLFLOW_TRACKING_URI", self.url)
        for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            patch.setenv(name, self.secrets[name])

    def run(self, *command: str, **kwargs) -> str:
        # Without the variables that a surrounding `make test` passes to its children.
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        # The environment has this project installed from elsewhere; the copy's code comes first.
        environment |= {**self.settings, "PYTHONPATH": str(self.root)}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, **kwargs
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
        return done.stdout

    def make(self, *arguments: str) -> str:
        return self.run("make", "-s", *arguments)

    def compose(self, *arguments: str, **kwargs) -> str:
        return self.run(str(COMPOSE), "-f", "infra/docker-compose.yml", *arguments, **kwargs)

    def up(self) -> None:
        try:
            self.make("up")
        except AssertionError:
            print(self.compose("ps", "-a"), self.compose("logs", "--tail", "40"))
            raise

    def start(self, service: str) -> None:
        """Start a service of a profile, and wait until it is healthy."""
        self.compose("--profile", service, "up", "-d", "--wait", "--wait-timeout", "200", service)

    def psql(self, query: str) -> str:
        command = ("psql", "-U", "mlflow", "-d", "mlflow", "-Atc", query)
        return self.compose("exec", "-T", "postgres", *command).strip()

    def bucket(self):
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.ports['MINIO_PORT']}",
            aws_access_key_id=self.secrets["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.secrets["AWS_SECRET_ACCESS_KEY"],
        )

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        try:
            self.up()
            yield self
        finally:
            self.compose("--profile", "*", "down", "-v", "--timeout", "5")

    def wait_until_healthy(self, *services: str) -> None:
        wait(lambda: self.healthy(*SERVICES, *services), seconds=180)

    def healthy(self, *services: str) -> bool:
        items = map(json.loads, self.compose("ps", "--format", "json").splitlines())
        health = {item["Service"]: item["Health"] for item in items if item["State"] == "running"}
        return all(health.get(name) in ("healthy", "") for name in services) and self.logged_in()

    def logged_in(self) -> bool:
        try:
            connect()
        except Exception:
            return False
        return True
