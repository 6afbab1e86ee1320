"""MLflow stores for tests: empty, after training, after promotion. All in one temporary folder.

``CHURN_TEST_STORES`` names a folder that several test runs share: what takes minutes is made once for all.
"""

import atexit
import fcntl
import io
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from uuid import uuid4

if shared := os.environ.get("CHURN_TEST_STORES"):
    TEMPORARY = Path(shared)
else:
    TEMPORARY = Path(tempfile.mkdtemp(prefix="churn-tests-"))
    atexit.register(shutil.rmtree, TEMPORARY, ignore_errors=True)


def fresh() -> str:
    """Return the URI of a SQLite store that does not exist yet."""
    folder = TEMPORARY / uuid4().hex
    folder.mkdir()
    return f"sqlite:///{folder / 'mlflow.db'}"


@cache
def _prepared() -> str:
    from helpers.tracking.database import prepare

    uri = fresh()
    prepare(Path(_file(uri)))
    return uri


def empty() -> str:
    """Return the URI of a store that exists and is empty: seconds faster than `fresh`."""
    return copy(_prepared())


@contextmanager
def in_use(uri: str) -> Iterator[str]:
    """Make a store the one that this process and its children use."""
    before = os.environ["MLFLOW_TRACKING_URI"]
    os.environ["MLFLOW_TRACKING_URI"] = uri
    try:
        yield uri
    finally:
        os.environ["MLFLOW_TRACKING_URI"] = before


def copy(uri: str) -> str:
    """Return the URI of a copy of a store; the artifacts that exist already are shared."""
    target = fresh()
    with closing(sqlite3.connect(_file(uri))) as source, closing(sqlite3.connect(_file(target))) as copied:
        source.backup(copied)
    return target


@cache
def trained() -> str:
    """Return a store after notebooks 01 to 03, 03 for all four algorithms; takes minutes, once."""

    def make() -> str:
        uri = fresh()
        _run_workflow(uri, slice(None, -1))
        return uri

    return _made_once("trained", make)


@cache
def promoted() -> str:
    """Return a copy of `trained` in which notebook 04 promoted the winner."""

    def make() -> str:
        uri = copy(trained())
        _run_workflow(uri, slice(-1, None))
        return uri

    return _made_once("promoted", make)


def for_notebook(name: str) -> str:
    """Return the store in the state that a reader has before a notebook."""
    if name == "04_registry":
        return copy(trained())
    if name > "04_registry":
        return copy(promoted())
    return fresh()


def executed() -> Path:
    """Return the folder of the notebooks that `trained` and `promoted` executed."""
    return TEMPORARY / "outputs"


def _made_once(name: str, make: Callable[[], str]) -> str:
    """Make a store, or return the one that another test run with the same folder made."""
    with (TEMPORARY / f"{name}.uri").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if not (uri := file.read()):
            uri = make()
            file.write(uri)
    return uri


def _run_workflow(uri: str, part: slice) -> None:
    # Not imported until the environment that conftest.py prepares is complete.
    from helpers.tracking import connect
    from helpers.workflows import notebook_steps, run_notebooks

    with in_use(uri), redirect_stdout(io.StringIO()):
        steps = [step for step in notebook_steps() if step.notebook <= "04_registry"]
        run_notebooks(steps[part], executed(), connect())


def _file(uri: str) -> str:
    return uri.removeprefix("sqlite:///")
