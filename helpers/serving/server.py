"""The production model behind HTTP: start the server, request scores.

The server is MLflow's own (see ``mlflow models serve``) around the model in `served_model`: ``POST
/invocations`` with customers returns each one's probability, decision and model version; ``GET /ping`` tells
whether it is ready.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn

import mlflow
import pandas as pd

from helpers.config import ROOT
from helpers.errors import ServingError
from helpers.network import check_address, free_port, open_url
from helpers.registry import load_production_model
from helpers.serving.request_body import MAX_CUSTOMERS, to_json
from helpers.table import current_table
from helpers.tracking import connect, is_dead, model_server_command, owner, tracking_uri

APP = "helpers.serving.app:make_app"
PREFIX, OWNER_FILE = "churn-serve-", "owner"  # of the folder with the server's code
HOST, PORT = "127.0.0.1", 8080
SECONDS_TO_START, SECONDS_TO_ANSWER, SECONDS_TO_STOP = 120, 90, 30


@contextmanager
def model_server(port: int | None = None, workers: int = 1) -> Iterator[str]:
    """Yield the URL of a model server: ``CHURN_SERVE_URL`` if set, else one that runs inside the block.

    Parameters
    ----------
    port : int, optional
        Port of the server that is started, on 127.0.0.1; default: a free one.
    workers : int
        Processes of the server that is started.

    Yields
    ------
    str
        E.g. ``http://127.0.0.1:8080``.

    Raises
    ------
    ServingError
        If the server ends, or does not answer in time, with its output.
    """
    if url := os.environ.get("CHURN_SERVE_URL"):
        yield url.rstrip("/")
        return
    port = port or free_port()
    url = f"http://{HOST}:{port}"
    with tempfile.TemporaryDirectory(prefix="churn-served-") as scratch:
        log = Path(scratch, "server.log")
        with _server_process(port, workers, log) as process:
            _wait_until_ready(url, process, log)
            yield url


@contextmanager
def _server_process(port: int, workers: int, log: Path) -> Iterator[subprocess.Popen]:
    """Run the server, with its output and temporary files beside the log, and stop it at the end."""
    command = [sys.executable, "-m", "helpers", "serve", "--port", str(port), "--workers", str(workers)]
    variables = {**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(), "TMPDIR": str(log.parent)}
    with log.open("wb") as output:
        # In its own session: Ctrl-C in the notebook interrupts the cell, not the server.
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def request_scores(url: str, customers: pd.DataFrame) -> pd.DataFrame:
    """Score customers with a model server.

    Parameters
    ----------
    url : str
        As `model_server` yields it.
    customers : DataFrame of shape (n_customers, n_columns)
        Only the feature columns leave this process.

    Returns
    -------
    DataFrame of shape (n_customers, 3)
        See ``ProductionModel.score``; same index.

    Raises
    ------
    ServingError
        If the server rejects a row (the message names it and its column) or does not answer.
    """
    features = customers[customers.columns.intersection(current_table().feature_names, sort=False)]
    starts = range(0, max(len(features), 1), MAX_CUSTOMERS)
    parts = [_post(url, features[start : start + MAX_CUSTOMERS]) for start in starts]
    return pd.concat(parts).set_axis(customers.index)


def _post(url: str, customers: pd.DataFrame) -> pd.DataFrame:
    headers = {"Content-Type": "application/json"}
    try:
        request = urllib.request.Request(f"{url}/invocations", to_json(customers), headers)
        with open_url(request, SECONDS_TO_ANSWER) as response:
            return pd.DataFrame(json.load(response)["predictions"])
    except urllib.error.HTTPError as error:
        message = error.read().decode(errors="replace")
        with suppress(ValueError, KeyError, TypeError):
            message = json.loads(message)["message"]
        raise ServingError(f"{url} answered {error.code}: {message}") from None
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:  # or a URL that is none
        raise ServingError(
            f"no model server answers at {url} ({error}): start one with `churn serve`, or correct or unset "
            "CHURN_SERVE_URL"
        ) from error


def _wait_until_ready(url: str, process: subprocess.Popen, log: Path) -> None:
    """Wait until the server answers; raise if it ends or needs too long, with the end of its output."""
    deadline = time.monotonic() + SECONDS_TO_START
    while (code := process.poll()) is None:
        with suppress(OSError), open_url(f"{url}/ping", timeout=5):
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    what = f"did not answer within {SECONDS_TO_START} s" if code is None else f"ended (exit code {code})"
    raise ServingError(f"the model server {what}: {log.read_text(errors='replace').strip()[-2000:]}")


def _write_model(folder: Path) -> Path:
    """Save the code of `served_model` in MLflow's format, for the server to load."""
    code = Path(__file__).with_name("served_model.py")
    mlflow.pyfunc.save_model(
        folder, python_model=str(code), pip_requirements=[f"mlflow=={mlflow.__version__}"]
    )
    return folder


def _remove_leftovers() -> None:
    """Remove the folders of this user's servers that have ended on this machine."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            of_user = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
            if of_user and is_dead((folder / OWNER_FILE).read_text()):
                shutil.rmtree(folder, ignore_errors=True)


def become_server(host: str = HOST, port: int = PORT, workers: int = 1) -> NoReturn:
    """Replace this process with the model server, so that a stop signal reaches the server itself.

    Raises
    ------
    SettingError
        If the address cannot be used.
    RegistryError, StoreError
        If there is no production model, or no registry.
    """
    check_address(host, port)
    # Detect within seconds that the registry is down; MLflow's default is to retry for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    load_production_model(connect().client)  # fail here with one clear message, not in every worker
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    (folder / OWNER_FILE).write_text(owner())
    model = _write_model(folder / "model")
    command, variables = model_server_command(APP, str(model), host, port, workers)
    os.execve(sys.executable, [sys.executable, *command], variables)
