"""Real servers for tests: on free loopback ports, in temporary folders, stopped after the test."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from helpers.network import free_port

PYTHON = Path(sys.executable)


def missing(what: str, how: str) -> None:
    """Skip the test because a program is missing; fail it in CI, where nothing may be skipped."""
    message = f"{what} is missing: {how}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass
class Server:
    """A running process group and its address."""

    url: str
    process: subprocess.Popen
    start: Callable[[], subprocess.Popen]

    def kill(self) -> None:
        """Kill the server and all its workers with SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start it again, as a supervisor would."""
        self.process = self.start()


@contextmanager
def running(url: str, start: Callable[[], subprocess.Popen], ready: Callable[[], bool]) -> Iterator[Server]:
    """Start a server, wait until it is ready, and stop it at the end of the block."""
    server = Server(url, start(), start)
    try:
        wait(ready, server)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGTERM)
        try:
            server.process.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def wait(ready: Callable[[], bool], server: Server | None = None, seconds: float = 120) -> None:
    """Wait until something is ready; it is an error if the server ends meanwhile."""
    deadline = time.monotonic() + seconds
    while not ready():
        if server and server.process.poll() is not None:
            raise RuntimeError(f"the server at {server.url} ended with {server.process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {seconds:.0f} s")
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Tell whether a URL answers with success."""
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2) as response:
        return response.status == 200
    return False


@contextmanager
def http_server(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run a small server in this process; yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def recording_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Set a company's proxy for this process and its children; yield what it was asked for."""
    seen: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            seen.append(self.path)
            self.send_error(502)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_CONNECT = refuse

        def log_message(self, *args: object) -> None:
            pass

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with http_server(Proxy) as url:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.upper(), url)
        yield seen


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """Run PostgreSQL with a database ``mlflow``; as ``nobody`` if this is root, which PostgreSQL refuses."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        missing("PostgreSQL", "apt-get install postgresql")
    root = os.geteuid() == 0
    prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if root else []
    # Not in pytest's folder: every start of pytest closes that to other users.
    data, port = Path(tempfile.mkdtemp(prefix="churn-postgres-")), free_port()
    if root:
        shutil.chown(data, "nobody", "nogroup")

    def run(program: str, *options: str) -> None:
        subprocess.run([*prefix, programs[-1] / program, *options], check=True, capture_output=True, cwd=data)

    run("initdb", "-D", str(data / "db"), "-U", "mlflow", "--auth=trust")

    def start() -> subprocess.Popen:
        options = ["-D", str(data / "db"), "-p", str(port), "-h", "127.0.0.1", "-k", str(data)]
        log = open(folder / "postgres.log", "ab")  # noqa: SIM115  the process keeps it open
        command = [*prefix, programs[-1] / "postgres", *options]
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=data)

    def ready() -> bool:
        command = [programs[-1] / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(command).returncode == 0

    url = f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/mlflow"
    try:
        with running(url, start, ready) as server:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "mlflow", "mlflow")
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def mlflow_server(
    folder: Path, backend: str, artifacts: str, environment: dict | None = None, *options: str
) -> Iterator[Server]:
    """Run a tracking server with proxied artifacts."""
    port = free_port()
    subprocess.run([PYTHON, "-m", "mlflow", "db", "upgrade", backend], check=True, capture_output=True)
    log = folder / "mlflow.log"

    def start() -> subprocess.Popen:
        command = [PYTHON, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--backend-store-uri", backend, "--artifacts-destination", artifacts]
        variables = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **(environment or {})}
        variables.pop("MLFLOW_TRACKING_URI", None)
        with log.open("ab") as out:
            return subprocess.Popen(
                [*command, *options],
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=variables,
                cwd=folder,
            )

    url = f"http://127.0.0.1:{port}"
    with running(url, start, lambda: answers(f"{url}/health")) as server:
        yield server
