"""Databases that this process opens itself: checked in seconds, where MLflow would retry for minutes."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

import mlflow
from packaging.version import InvalidVersion, Version
from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from helpers.errors import StoreError
from helpers.masking import mask
from helpers.tracking._mlflow import schema_revisions
from helpers.tracking.store_errors import upgrade_command

SECONDS_TO_ANSWER = 10
_TIMEOUTS = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}


def database_file(uri: str) -> Path:
    """Return the file of a SQLite store.

    Raises
    ------
    StoreError
        If the URI names none: such a store would be gone with the process.
    """
    with suppress(ArgumentError):
        url = make_url(uri)
        named = url.database and url.database != ":memory:" and not url.database.startswith("file:")
        if url.database and named and not (url.host or url.username or url.password):
            return Path(url.database).resolve()
    raise StoreError(
        f"MLFLOW_TRACKING_URI={uri} names no file: set it to e.g. sqlite:////home/me/mlflow.db, or unset it "
        "to use the embedded store"
    )


def prepare(file: Path) -> None:
    """Create a complete SQLite store before any process can see it; keep an existing one.

    Processes that open an empty database at the same time race on the schema migration. So each creates a
    complete one under a temporary name and links it into place: the first wins, atomically.
    """
    if file.is_dir():
        raise StoreError(f"MLFLOW_TRACKING_URI: {file} is a folder: name a file in it, e.g. {file}/mlflow.db")
    if file.exists():
        return
    try:
        _create(file)
    except OSError as error:
        raise StoreError(
            f"cannot create the store {file} ({error.strerror}): set MLFLOW_TRACKING_URI to a file in a "
            "folder that you can write"
        ) from None


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=file.parent) as folder:
        complete = Path(folder, "mlflow.db")
        # In a process of its own, so that this one never has the file open under its temporary name.
        code = "import sys, mlflow; mlflow.MlflowClient(f'sqlite:///{sys.argv[1]}').search_experiments()"
        command = [sys.executable, "-c", code, str(complete)]
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if process.returncode:
            raise StoreError(f"cannot create the store {file}: {process.stderr.strip().splitlines()[-1]}")
        with closing(sqlite3.connect(complete)) as database:
            # A setting of the file: readers do not block the writer, and a commit costs one write, not two.
            database.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(complete, file)


def check_database(uri: str) -> None:
    """Check that a database answers, can be written, and has the schema of this MLflow.

    Raises
    ------
    StoreError
        If its schema is another one, or it belongs to another program.
    SQLAlchemyError, ImportError
        If it does not answer, cannot be written, or its driver is missing.
    """
    url = make_url(uri)
    name = url.get_backend_name()
    if url.drivername == "postgresql":
        _require_default_driver(uri)
    timeout = {_TIMEOUTS[name]: SECONDS_TO_ANSWER} if name in _TIMEOUTS else {}
    engine = create_engine(url, connect_args=timeout, poolclass=NullPool)
    with engine.connect() as connection:
        if name == "sqlite":  # MLflow would find a locked or read-only file in the middle of a training
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        _check_schema(connection, uri)
        connection.rollback()


def _require_default_driver(uri: str) -> None:
    if find_spec("psycopg") is None:  # SQLAlchemy's choice for postgresql://
        raise StoreError(
            f"MLFLOW_TRACKING_URI={uri}: write postgresql+psycopg2:// instead of postgresql://, which stands "
            "for a driver that is not installed (`pip install psycopg2-binary` for psycopg2)"
        )


def _check_schema(connection: Connection, uri: str) -> None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables and connection.dialect.name == "sqlite":
            raise StoreError(
                f"{mask(uri)} is the database of another program: set MLFLOW_TRACKING_URI to another file"
            )
        return
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    newest, known = schema_revisions()
    if newest is None or found == newest:
        return
    if found in known:
        raise StoreError(
            f"{mask(uri)} is from an older MLflow than {mlflow.__version__}: back it up, then run "
            f"`{upgrade_command(uri)}`"
        )
    raise StoreError(
        f"{mask(uri)} is from a newer MLflow than {mlflow.__version__}: install "
        f"{_latest_mlflow(connection)}, or use another store"
    )


def _latest_mlflow(connection: Connection) -> str:
    """Return the newest MLflow that runs in this database were made with."""
    versions = []
    with suppress(SQLAlchemyError):
        query = text("SELECT DISTINCT value FROM tags WHERE key = 'version.mlflow'")
        for value in connection.execute(query).scalars():
            with suppress(InvalidVersion):
                versions.append(Version(value))
    if versions and max(versions) > Version(mlflow.__version__):
        return f"mlflow {max(versions)} (its latest run was made with it)"
    return "the version that upgraded it (`pip install --upgrade mlflow` for the latest)"
