"""Every way a store can be wrong: one message, in seconds, without a credential."""

import os
import re
import shlex
import sqlite3
import threading
import time
import traceback
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest
import sqlalchemy

from helpers.errors import StoreError
from helpers.tracking import connect, search_runs, single_run
from tests.support import stores

LOGIN = "anna:s%21cret"


@contextmanager
def answering(status: int, body: bytes, headers: dict | None = None, delay: float = 0):
    """Run another product: it answers everything in the same way."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            seen.append(dict(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if delay:
                time.sleep(delay)
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """Say nothing of a client that has hung up, maybe in the middle of a later test."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


def refusal(monkeypatch, uri: str) -> str:
    """Return the message with which a store is refused; its traceback has no credential, either."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(StoreError) as raised:
        connect()
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value.args)
    assert not any(part in shown for part in ("s%21cret", "s!cret", "direct cause", "During handling"))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>Sign in</html>", "no MLflow at"),
        (200, b"{}", "no MLflow at .*answers are not MLflow's"),
        (200, b"[]", "no MLflow at"),
        (200, b'{"experiments": 5, "experiment": [1]}', "no MLflow at"),
        (200, b"", "no MLflow at"),
        (404, b"not here", "no MLflow at .*404"),
        (401, b"who are you?", "refuses the login"),
        (403, b'{"error_code": "PERMISSION_DENIED", "message": "no"}', "must grant it EDIT"),
        (403, b"Invalid Host header - possible DNS rebinding attack detected", "--allowed-hosts"),
        (429, b"", "too many requests"),
        (500, b"oh", "no MLflow at"),
        (503, b"later", "no MLflow at"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_another_product_behind_the_port(monkeypatch, caplog, capsys, status, body, expected):
    began = time.monotonic()
    with answering(status, body, {"Retry-After": "3600"}) as (address, seen):
        message = refusal(monkeypatch, f"http://{LOGIN}@{address}")
        assert re.search(expected, message), message
    assert address in message
    assert seen[0]["Authorization"].startswith("Basic ")  # the login was used, and is nowhere else
    printed = caplog.text + "".join(capsys.readouterr())
    assert "cret" not in printed
    assert time.monotonic() - began < 60


def test_server_that_echoes_the_request_does_not_reveal_the_login(monkeypatch):
    login = "YW5uYTpzIWNyZXQ="  # what basic authentication sends
    with answering(400, f"you sent: Authorization: Basic {login}".encode()) as (address, _):
        assert login not in refusal(monkeypatch, f"http://{LOGIN}@{address}")


def test_server_that_hangs(monkeypatch):
    monkeypatch.setattr("helpers.tracking.store.SECONDS_TO_ANSWER", 1)
    with answering(200, b"{}", delay=20) as (address, _):
        assert "no MLflow at" in refusal(monkeypatch, f"http://{LOGIN}@{address}")


def test_login_of_one_server_is_not_sent_to_the_next(monkeypatch):
    with answering(404, b"") as (first, _), answering(404, b"") as (second, seen):
        refusal(monkeypatch, f"http://{LOGIN}@{first}")
        assert os.environ["MLFLOW_TRACKING_URI"] == f"http://{first}"
        assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "s!cret"
        refusal(monkeypatch, f"http://{second}")
        assert "Authorization" not in seen[0]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://anna:s!cret@127.0.0.1:9/mlflow", "write postgresql+psycopg2://"),
        ("postgresql+nodriver://anna:s!cret@127.0.0.1:9/mlflow", "driver is missing"),
        ("postgresql+psycopg2://anna:s!cret@127.0.0.1:9/mlflow", "no MLflow at"),
        ("postgresql+psycopg2://anna:s!c/r@et@127.0.0.1:9/mlflow", "no MLflow at"),
        ("ftp://anna:s!cret@127.0.0.1/mlflow", "no MLflow at"),
        ("file:///tmp/mlruns", "no longer writes"),
        ("./mlruns", "no longer writes"),
        ("sqlite://anna:s!cret@/tmp/x.db", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
    ],
)
def test_uri_that_cannot_be_used(monkeypatch, uri, expected):
    assert expected in refusal(monkeypatch, uri)


def broken(uri: str, how: str) -> None:
    file = Path(uri.removeprefix("sqlite:///"))
    content = file.read_bytes()
    if how == "no database":
        file.write_bytes(b"a user's data" * 100)
    elif how == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif how == "another program's":
        file.unlink()
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE customers (name)")
    elif how == "older":
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
            database.commit()
    elif how == "newer":
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
            database.commit()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("no database", "is damaged"),
        ("cut", "is damaged"),
        ("another program's", "database of another program"),
        ("older", "`mlflow db upgrade "),
        ("newer", f"newer MLflow than {mlflow.__version__}: install the version that upgraded it"),
    ],
)
def test_broken_sqlite_file_is_refused_and_kept(monkeypatch, how, expected):
    uri = stores.empty()
    broken(uri, how)
    before = Path(uri.removeprefix("sqlite:///")).read_bytes()
    assert expected in refusal(monkeypatch, uri)
    assert Path(uri.removeprefix("sqlite:///")).read_bytes() == before


def test_advised_upgrade_runs_in_a_shell(monkeypatch, tmp_path):
    folder = tmp_path / "Anna's store"
    folder.mkdir()
    uri = f"sqlite:///{folder}/mlflow.db"
    Path(folder, "mlflow.db").write_bytes(Path(stores.empty().removeprefix("sqlite:///")).read_bytes())
    broken(uri, "older")
    command = refusal(monkeypatch, uri).split("`")[1]
    assert shlex.split(command) == ["mlflow", "db", "upgrade", uri]


def test_newer_store_names_the_mlflow_of_its_runs(monkeypatch):
    uri = stores.empty()
    with stores.in_use(uri), single_run(connect(), "test", {"version.mlflow": "99.1.0"}):
        pass
    broken(uri, "newer")
    assert "install mlflow 99.1.0 (its latest run was made with it)" in refusal(monkeypatch, uri)


def test_locked_sqlite_file(monkeypatch):
    monkeypatch.setattr("helpers.tracking.database.SECONDS_TO_ANSWER", 1)
    uri = stores.empty()
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in refusal(monkeypatch, uri)


def test_store_that_may_not_be_written(monkeypatch, tmp_path):
    uri = stores.empty()
    file = Path(uri.removeprefix("sqlite:///"))
    with unprivileged(file.parent, file):
        assert "cannot be written" in refusal(monkeypatch, uri)
        assert "cannot create the store" in refusal(monkeypatch, f"sqlite:///{file.parent}/new/mlflow.db")


@contextmanager
def unprivileged(*paths: Path):
    """Make paths read-only, and be somebody to whom that applies."""
    modes = {path: path.stat().st_mode for path in (*paths, stores.TEMPORARY)}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    stores.TEMPORARY.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)


def test_relative_path_is_the_same_store_in_every_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("mlflow.db").write_bytes(Path(stores.empty().removeprefix("sqlite:///")).read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    connect()
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlflow.db"


def full(*_, **__):
    raise sqlalchemy.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))


def test_error_in_the_middle_of_a_run_is_one_of_the_store(store):
    with (
        pytest.raises(StoreError, match=r"the disk of .* is full") as raised,
        single_run(store, "test"),
    ):
        full()
    assert raised.value.__suppress_context__
    (run,) = search_runs(store.client, store.experiment_id, "")
    assert run.info.status == "FAILED"


def test_run_that_a_full_disk_leaves_open_is_told_and_ended_when_there_is_room(store):
    later = []
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(StoreError, match=r"is full.* still RUNNING"),
        single_run(store, "test"),
    ):
        patch.setattr("atexit.register", lambda *call: later.append(call))
        patch.setattr(store.client, "set_terminated", full)
        full()
    (run,) = search_runs(store.client, store.experiment_id, "")
    assert run.info.status == "RUNNING"
    ((end, *arguments),) = later
    end(*arguments)
    assert store.client.get_run(run.info.run_id).info.status == "FAILED"
