"""The production model behind HTTP: start the server, request scores.

What MLflow's ``mlflow models serve`` starts, around the model in `served_model`: ``POST /invocations`` with
customers gives probability, decision and model version of each; ``GET /ping`` says that it is up.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import mlflow
import pandas as pd

from helpers.config import FEATURES, ROOT
from helpers.errors import ServingError
from helpers.registry import load_production_model
from helpers.tracking import connect, model_server_command, tracking_uri

HOST, PORT = "127.0.0.1", 8080
ROWS = 10_000  # per request, so that none comes near the server's time limit of a minute
SECONDS_TO_START, SECONDS_TO_ANSWER, SECONDS_TO_STOP = 120, 90, 30


@contextmanager
def model_server(port: int | None = None, workers: int = 1) -> Iterator[str]:
    """Give the URL of a served model: that in ``CHURN_SERVE_URL``, else of one that runs inside the block.

    Parameters
    ----------
    port : int, optional
        Of 127.0.0.1, for the server that is started; default: a free one.
    workers : int
        Processes of the server that is started.

    Yields
    ------
    str
        E.g. ``http://127.0.0.1:8080``.

    Raises
    ------
    ServingError
        If the server does not start, with what it said.
    """
    if url := os.environ.get("CHURN_SERVE_URL"):
        yield url.rstrip("/")
        return
    port = port or _free_port()
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "helpers", "serve", "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryDirectory(prefix="churn-served-") as scratch:
        variables = {**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(), "TMPDIR": scratch}
        log = Path(scratch, "server.log")
        with log.open("wb") as said:
            # In a session of its own: Ctrl-C in the notebook interrupts the cell, not the server.
            server = subprocess.Popen(
                command,
                cwd=ROOT,
                env=variables,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            if not _comes_up(url, server):
                raise ServingError(f"the served model did not start: {log.read_text().strip()[-2000:]}")
            yield url
        finally:
            server.terminate()
            try:
                server.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def request_scores(url: str, customers: pd.DataFrame) -> pd.DataFrame:
    """Have customers scored by a served model.

    Parameters
    ----------
    url : str
        As `served` gives it.
    customers : DataFrame of shape (n_customers, n_columns)
        Only the feature columns leave this process.

    Returns
    -------
    DataFrame of shape (n_customers, 3)
        See ``ProductionModel.score``; same index.

    Raises
    ------
    ServingError
        If the server refuses a row (the message names it and its column) or does not answer.
    """
    features = customers[[name for name in customers.columns if name in FEATURES]]
    parts = [_ask(url, features[start : start + ROWS]) for start in range(0, max(len(features), 1), ROWS)]
    return pd.concat(parts).set_axis(customers.index)


def request_body(customers: pd.DataFrame) -> bytes:
    """Return customers as JSON in MLflow's ``dataframe_split``, numbers with all their digits."""
    # Not DataFrame.to_json: that keeps 15 of them.
    values = customers.astype(object).where(customers.notna(), None)
    return json.dumps({"dataframe_split": values.to_dict(orient="split", index=False)}).encode()


def _ask(url: str, customers: pd.DataFrame) -> pd.DataFrame:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/invocations", request_body(customers), headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:
            return pd.DataFrame(json.load(answer)["predictions"])
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        with suppress(ValueError, KeyError, TypeError):
            said = json.loads(said)["message"]
        raise ServingError(f"{url} answered {error.code}: {said}") from None
    except OSError as error:
        raise ServingError(
            f"no served model answers at {url} ({error}): start one with `make serve`, or correct or unset "
            "CHURN_SERVE_URL"
        ) from error


def _comes_up(url: str, server: subprocess.Popen) -> bool:
    until = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"{url}/ping", timeout=5):
            return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _write_model(folder: Path) -> Path:
    """Write what the server loads: the wrapper's code, in MLflow's format."""
    code = Path(__file__).with_name("served_model.py")
    mlflow.pyfunc.save_model(
        folder, python_model=str(code), pip_requirements=[f"mlflow=={mlflow.__version__}"]
    )
    return folder


def become_server(host: str = HOST, port: int = PORT, workers: int = 1) -> NoReturn:
    """Replace this process by the model server.

    Raises
    ------
    RegistryError, StoreError
        If there is nothing to serve.
    """
    # Notice within seconds that a registry is down; MLflow would retry for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    load_production_model(connect().client)  # fail here with one clear message, not in every worker
    model = _write_model(Path(tempfile.mkdtemp(prefix="churn-serve-")) / "model")
    command, variables = model_server_command(str(model), host, port, workers)
    os.execve(sys.executable, [sys.executable, *command], variables)
