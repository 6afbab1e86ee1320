"""A colleague on a server with logins: refused in one line before the work, and not after the docs' grant."""

import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import pytest

from helpers.config import ROOT
from helpers.errors import StoreError
from helpers.monitoring import run_monitoring
from helpers.registry import Gate, decide, load_production_model, production_version, staging_version
from helpers.scoring import score_file
from helpers.tracking import check_rights, connect, search_runs
from helpers.workflows.retraining import process_batch
from tests.serving.versions import promote_model
from tests.support.bank import EXPERIMENT, NEW_CUSTOMERS
from tests.support.command import churn
from tests.support.servers import http_server, mlflow_server, recording_proxy
from tests.support.trainings import training_run

ADMIN_PASSWORD = "only-for-this-test-run"
CONFIG = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/users.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
PASSED = [Gate("first", True, "fine")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a server with logins and the environment of its processes."""
    folder = tmp_path_factory.mktemp("server")
    config = folder / "basic_auth.ini"
    config.write_text(CONFIG.format(folder=folder))
    environment = {
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "only-for-this-test-run",
    }
    options = ("--app-name", "basic-auth", "--workers", "1")
    database, artifacts = f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts")
    with mlflow_server(folder, database, artifacts, environment, *options) as server:
        yield server, environment


@pytest.fixture(scope="module")
def add_user(server):
    """Return a function that does what the docs say: run the script in the server's environment."""

    def add(name: str, right: str) -> str | None:
        command = [sys.executable, str(ROOT / "infra/k8s/base/scripts/add_user.py"), name, right]
        variables = {**os.environ, **server[1], "MLFLOW_TRACKING_URI": server[0].url}
        done = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert f"{name} has {right} on every experiment and registered model" in done.stdout
        password = re.search(rf"password of {name}: (\S+)", done.stdout)
        return password and password[1]

    return add


@pytest.fixture
def log_in(server, monkeypatch):
    """Return a function that makes this process a user of the server."""

    def log_in(name: str, password: str):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server[0].url)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        return connect()

    return log_in


@pytest.fixture
def admin(log_in, fitted, sample):
    """Return the administrator's store, with a tree in production and in staging."""
    store = log_in("admin", ADMIN_PASSWORD)
    if production_version(store.client) is None:
        promote_model(store, "tree", fitted["tree"], sample)
    return store


def n_runs(store) -> int:
    return len(search_runs(store.client, store.experiment_id, ""))


@pytest.mark.stack
def test_a_colleague_is_refused_before_the_work_and_works_after_the_grant(
    server, admin, add_user, log_in, fitted, sample, result, tmp_path, capsys, monkeypatch
):
    password = add_user("anna", "READ")
    assert password
    before = n_runs(admin)
    store = log_in("anna", password)
    model, challenger = load_production_model(store.client), staging_version(store.client, "tree")
    experiment = rf"EDIT on experiment '{EXPERIMENT}' \(has READ\)"
    start, end = f"^{server[0].url}: user 'anna' needs ", r': the administrator .*"Add a colleague"\)$'
    everything = rf"{experiment} and EDIT on registered model 'churn' \(has READ\)"
    with pytest.raises(StoreError, match=start + experiment + end):
        score_file(store, model, out=tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()
    with pytest.raises(StoreError, match=start + experiment + end):
        run_monitoring(store)
    with pytest.raises(StoreError, match=start + everything + end):
        decide(store.client, "promote", challenger, PASSED, "best")
    with pytest.raises(StoreError, match=r"MANAGE on registered model 'churn-tree' \(has READ\)"):
        decide(store.client, "archive", challenger, PASSED, "best")
    with pytest.raises(StoreError, match=rf"{everything} and EDIT on registered model 'churn-tree'"):
        process_batch(store, NEW_CUSTOMERS, None, ["tree", "knn"], tmp_path)
    train = ["train", "--models", "tree", "--grid", '{"max_depth": [3]}', "--out", tmp_path / "out"]
    capsys.readouterr()
    assert churn(*train) == 1
    told = capsys.readouterr()
    assert re.fullmatch(rf"Error: {start[1:]}{experiment} and EDIT on .*'churn-tree'.*\n", told.err)
    assert not (tmp_path / "out").exists()
    assert n_runs(admin) == before

    assert add_user("anna", "EDIT") is None  # the password stays
    with recording_proxy(monkeypatch) as seen:
        store = log_in("anna", password)
        assert churn(*train) == 0
        assert len(score_file(store, model, out=tmp_path / "scores.csv").scores)
        challenger = staging_version(store.client, "tree")
        assert int(challenger.version) == 2
        assert decide(store.client, "promote", challenger, PASSED, "best").production_version == 2
    assert seen == []
    # Who may edit but not delete ends the orphan of a crashed server, and their training goes on.
    with training_run(store, sample) as run:
        (fold, *_) = search_runs(store.client, store.experiment_id, "tags.level = 'fold'")  # the newest
        tags = {"level": "combination", "mlflow.parentRunId": fold.info.run_id}
        orphan = store.client.create_run(store.experiment_id, tags=tags).info.run_id
        run.finish_search(result)
    assert store.client.get_run(orphan).info.status == "KILLED"
    with pytest.raises(StoreError, match=r"needs MANAGE on registered model 'churn-tree' \(has EDIT\)"):
        decide(store.client, "archive", challenger, PASSED, "best")
    add_user("anna", "MANAGE")
    decide(store.client, "archive", challenger, PASSED, "best")
    assert staging_version(store.client, "tree") is None


@pytest.mark.stack
def test_the_administrator_and_who_makes_a_model_need_no_grant(admin, add_user, log_in):
    check_rights(admin.client, {"churn": "MANAGE"})
    store = log_in("ben", add_user("ben", "READ"))
    with pytest.raises(StoreError, match="'churn-tree'") as raised:
        check_rights(store.client, {"churn-tree": "EDIT", "churn-logreg": "EDIT"})  # one does not exist yet
    assert "churn-logreg" not in str(raised.value)


def test_a_store_without_users_is_not_asked(store, monkeypatch):
    check_rights(store.client, {"churn": "MANAGE"})
    asked = []

    class NoLogins(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    with http_server(NoLogins) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        check_rights(store.client, {"churn": "MANAGE"})
    assert asked == ["/api/2.0/mlflow/users/current"]
