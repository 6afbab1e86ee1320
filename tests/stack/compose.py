"""The compose stack as a test starts it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from helpers.config import ROOT
from helpers.store import connect
from tests.servers import free_port, wait

INFRA = ROOT / "infra"
COMPOSE = Path(sys.executable).with_name("docker-compose")


class Stack:
    """A stack of a test's own: its name, ports, secrets and volumes; ``settings`` go into its ``.env``."""

    def __init__(self, folder: Path, **settings: str):
        (folder / "k8s").mkdir()
        shutil.copy(INFRA / "k8s" / "make_secrets.py", folder / "k8s")
        command = [sys.executable, folder / "k8s" / "make_secrets.py", "compose"]
        subprocess.run(command, check=True, capture_output=True)
        self.env_file = folder / ".env"
        with self.env_file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.secrets = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines())
        services = ("MLFLOW", "MINIO", "MINIO_CONSOLE", "JUPYTER", "SERVE")
        self.ports = {f"{name}_PORT": free_port() for name in services}
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": f"churn-test-{os.getpid()}-{free_port()}",
            "COMPOSE": f"{COMPOSE} --env-file {self.env_file}",
            # Stand-ins exist under these names; a builder that asks a registry first would not find it.
            "DOCKER_BUILDKIT": "0",
            **{name: str(port) for name, port in self.ports.items()},
        }
        self.url = f"http://127.0.0.1:{self.ports['MLFLOW_PORT']}"

    def compose(self, *arguments: str, **kwargs) -> str:
        command = [str(COMPOSE), "--env-file", str(self.env_file), "--project-directory", str(INFRA)]
        command += ["-f", str(INFRA / "docker-compose.yml"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, **kwargs)
        assert done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> None:
        try:
            self.compose("up", "-d", "--wait", "--wait-timeout", "300")
        except AssertionError:
            print(self.compose("ps", "-a"), self.compose("logs", "--tail", "40"))
            raise

    def script(self, name: str, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            ["sh", INFRA / name, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def psql(self, query: str) -> str:
        return self.compose(
            "exec", "-T", "postgres", "psql", "-U", "mlflow", "-d", "mlflow", "-Atc", query
        ).strip()

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
            self.compose("build")
            self.up()
            yield self
        finally:
            self.compose("down", "-v", "--timeout", "5")

    def wait_until_healthy(self) -> None:
        wait(self.healthy, seconds=180)

    def healthy(self) -> bool:
        states = {
            item["Service"]: item
            for item in map(json.loads, self.compose("ps", "--format", "json").splitlines())
        }
        return (
            states.get("mlflow", {}).get("Health") == "healthy"
            and states.get("postgres", {}).get("Health") == "healthy"
            and states.get("minio", {}).get("State") == "running"
            and self.logged_in()
        )

    def logged_in(self) -> bool:
        try:
            connect()
        except Exception:
            return False
        return True
