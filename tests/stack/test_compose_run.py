"""The Compose stack on a Docker engine: all notebooks, and what they leave in the stores."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions
import mlflow
import pandas as pd
import pytest
import requests
from sklearn.model_selection import ParameterGrid

from helpers.config import ROOT
from helpers.data.loading import load as load_customers
from helpers.data.synthetic import make_customers
from helpers.errors import StoreError
from helpers.files import sha256
from helpers.registry import (
    list_versions,
    load_production_model,
    production_version,
    promote,
    staging_version,
)
from helpers.serving.server import request_scores
from helpers.tracking.rights import check_rights
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from helpers.training.algorithms import ALGORITHMS
from helpers.workflows import notebooks
from tests.support import stores
from tests.support.servers import wait
from tests.support.trainings import training
from tests.workflows.batches import assert_consistent

pytestmark = pytest.mark.stack

COMBINATIONS = 5 * sum(len(ParameterGrid(algorithm.grid)) for algorithm in ALGORITHMS.values())

# A client that has only address, user and password: a process without this package.
STOCK_CLIENT = """
import filecmp, mlflow, os, sys
path = sys.argv[1] + "/large.bin"
with open(path, "wb") as file:
    for _ in range(200):
        file.write(os.urandom(1 << 20))
mlflow.set_experiment("stock")
with mlflow.start_run() as run:
    mlflow.log_metric("m", 1)
    mlflow.log_artifact(path)
download = mlflow.artifacts.download_artifacts
copy = download(run_id=run.info.run_id, artifact_path="large.bin", dst_path=path + ".d")
assert filecmp.cmp(path, copy, shallow=False)
model = mlflow.pyfunc.load_model("models:/churn@production")
assert len(model.predict(model.input_example)) == len(model.input_example)
assert "helpers" not in sys.modules
"""


def summary(store) -> pd.DataFrame:
    """Return the table with which the workflow ended in a store where it ran once."""
    run = search_runs(store.client, store.experiment_id, "tags.level = 'model'")[0]
    return notebooks.summarize(store, run.data.tags["workflow"])


def test_make_run_gives_the_results_of_the_embedded_store(stack, client):
    assert (stack.root / "outputs" / "04_registry.ipynb").exists()
    ours = summary(client)
    assert len(ours) == len(ALGORITHMS)
    with stores.in_use(stores.promoted()):
        pd.testing.assert_frame_equal(ours, summary(connect()), rtol=1e-12)


def test_the_workflow_is_in_postgresql_the_bucket_and_the_registry(stack, client):
    levels = stack.psql("select value, count(*) from tags where key = 'level' group by value").splitlines()
    assert {f"combination|{COMBINATIONS}", "fold|20", "model|4", "promotion|1"} <= set(levels)
    assert stack.psql("select distinct status from runs") == "FINISHED"
    assert staging_version(client.client, "knn").tags["stage"] == "staging"
    assert production_version(client.client).tags["stage"] == "production"
    keys = [item["Key"] for item in stack.bucket().list_objects_v2(Bucket="mlflow")["Contents"]]
    for name in ("model.skops", "pickle/model.pkl", "notebook/03_train-knn.ipynb"):
        assert any(key.endswith(name) for key in keys), name


def test_bucket_user_cannot_create_another_bucket(stack):
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        stack.bucket().create_bucket(Bucket="another")


@pytest.mark.parametrize("login", [None, "wrong"])
def test_requests_without_the_right_login_are_refused(stack, login):
    request = urllib.request.Request(f"{stack.url}/api/2.0/mlflow/experiments/search?max_results=1")
    if login:
        request.add_header("Authorization", "Basic dXNlcjp3cm9uZw==")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 401


def test_foreign_host_names_are_rejected(stack):
    request = urllib.request.Request(f"{stack.url}/", headers={"Host": "evil.example.com"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 403


@pytest.mark.parametrize(("host", "code"), [("evil.example.com", 403), ("localhost:5000", 200)])
def test_requests_from_foreign_pages_are_rejected(stack, host, code):
    login = (stack.secrets["MLFLOW_TRACKING_USERNAME"], stack.secrets["MLFLOW_TRACKING_PASSWORD"])
    url, headers = f"{stack.url}/api/2.0/mlflow/experiments/search", {"Origin": f"http://{host}"}
    answer = requests.post(url, json={"max_results": 1}, headers=headers, auth=login, timeout=10)
    assert answer.status_code == code


def test_metrics_require_a_login(stack):
    login = ("admin", stack.secrets["MLFLOW_AUTH_ADMIN_PASSWORD"])
    assert "mlflow" in requests.get(f"{stack.url}/metrics", auth=login, timeout=10).text
    assert requests.get(f"{stack.url}/metrics", timeout=10).status_code == 401


def test_nothing_listens_beyond_loopback(stack):
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout
    addresses = {line.split()[3] for line in listening.splitlines()}
    for name, port in stack.ports.items():
        bound = {address for address in addresses if address.endswith(f":{port}")}
        assert bound == ({f"127.0.0.1:{port}"} if name != "SERVE_PORT" else set()), (
            name
        )  # a profile that is not up
    containers = map(json.loads, stack.compose("ps", "--format", "json").splitlines())
    published = [
        port for container in containers for port in container["Publishers"] if port["PublishedPort"]
    ]
    assert {port["URL"] for port in published} == {"127.0.0.1"}
    assert {str(port["PublishedPort"]) for port in published} == {*map(str, stack.ports.values())} - {
        str(stack.ports["SERVE_PORT"])
    }


def test_jupyter_requires_its_token_and_reaches_mlflow(stack):
    port = stack.ports["JUPYTER_PORT"]
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents")
    assert raised.value.code == 403
    token = {"Authorization": f"token {stack.secrets['JUPYTER_TOKEN']}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/contents/notebooks", headers=token)
    with urllib.request.urlopen(request) as answer:
        names = {item["name"] for item in json.load(answer)["content"]}
    assert "03_train.ipynb" in names
    code = "from helpers.tracking.store import connect; print(connect().experiment_id)"
    assert stack.compose("exec", "-T", "jupyter", "python", "-c", code).strip().isdigit()


def test_a_colleague_is_added_with_the_documented_command(stack, client, monkeypatch):
    command = ["exec", "-T", "mlflow", "python", "/scripts/add_user.py", "anna"]
    password = re.search(r"password of anna: (\S+)", stack.compose(*command, "READ"))[1]
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    with pytest.raises(
        StoreError, match=r"user 'anna' needs EDIT on .* and EDIT on registered model 'churn'"
    ):
        check_rights(connect().client, {"churn": "EDIT"})
    stack.compose(*command)
    check_rights(connect().client, {"churn": "EDIT"})


def test_production_model_is_served(stack, client):
    stack.start("serve")
    customers = load_customers().head(3)
    served = request_scores(f"http://127.0.0.1:{stack.ports['SERVE_PORT']}", customers)
    pd.testing.assert_frame_equal(served, load_production_model(client.client).score(customers), rtol=1e-12)
    stack.compose("stop", "serve")


def retrainings(client) -> list:
    """Return the monitor's finished runs, newest first."""
    query = "attributes.status = 'FINISHED' and tags.level = 'retrain'"
    return search_runs(client.client, client.experiment_id, query)


def submit(stack, name: str, customers: pd.DataFrame) -> None:
    """Put a table into JupyterLab's folder ``batches``, atomically."""
    command = f"cat > batches/.{name} && mv batches/.{name} batches/{name}"
    stack.compose("exec", "-T", "jupyter", "sh", "-c", command, input=customers.to_csv(index=False))


def test_monitor_retrains_on_drift_and_uses_the_new_reference(stack, client, tmp_path):
    promote(client.client, "churn-logreg", 1, "to be beaten")
    before = production_version(client.client)
    submit(stack, "older.csv", make_customers(2000, 50, {"covariate": 0.8}))
    command = ["churn", "retrain", "--batch", "/batches", "--out", "/retrain"]
    stack.compose("run", "--rm", "monitor", *command, "--models", "tree")  # one of four: enough to win
    (done,) = retrainings(client)
    production = production_version(client.client)
    assert (done.data.tags["batch"], done.data.tags["outcome"]) == ("older.csv", "promoted")
    assert int(production.version) == int(before.version) + 1
    assert production.tags["data_sha256"] == done.data.tags["data_sha256"]
    files = stack.compose("exec", "-T", "jupyter", "ls", "/retrain").split()
    assert f"customers-{production.tags['data_sha256'][:12]}.csv" in files
    assert [name for name in files if name.startswith("older-") and name.endswith(".md")]

    # Another container finds the production model's training data, and does not process the same batch again.
    submit(stack, "next.csv", make_customers(500, 51))
    stack.start("monitor")
    wait(lambda: len(retrainings(client)) > 1, seconds=120)
    last = retrainings(client)[0]
    assert (last.data.tags["batch"], last.data.tags["production_version"]) == ("next.csv", production.version)
    assert last.data.tags["outcome"] == "kept"
    monitoring = client.client.get_run(last.data.tags["monitoring_run"])
    assert monitoring.data.tags["reference_sha256"] == production.tags["data_sha256"]
    copy = tmp_path / "table.csv"
    stack.compose("cp", f"monitor:/retrain/customers-{production.tags['data_sha256'][:12]}.csv", str(copy))
    assert sha256(copy) == production.tags["data_sha256"]
    stack.compose("stop", "monitor")
    assert "interrupted" in stack.compose("logs", "monitor")
    assert stack.psql("select count(*) from runs where status <> 'FINISHED'") == "0"
    assert_consistent(client)


@pytest.mark.parametrize("notebook", ["05_score", "06_monitor"])
def test_notebooks_about_the_production_model_run_in_jupyterlab(stack, notebook):
    arguments = [f"notebooks/{notebook}.ipynb", "/tmp/out.ipynb", "-p", "batch", "batches/next.csv"]
    stack.compose("exec", "-T", "jupyter", "papermill", "--no-progress-bar", *arguments)


def test_stock_client_moves_200_megabytes_and_a_model_without_a_hang(stack, client, tmp_path):
    login = {f"MLFLOW_TRACKING_{name}" for name in ("URI", "USERNAME", "PASSWORD")}
    bare = {k: v for k, v in os.environ.items() if k in login or not k.startswith(("MLFLOW_", "AWS_"))}
    command = [sys.executable, "-c", STOCK_CLIENT, str(tmp_path)]
    began = time.monotonic()
    subprocess.run(command, env=bare, cwd=tmp_path, check=True, timeout=240)
    print(f"200 MB up and down, a model down: {time.monotonic() - began:.0f} s")


def test_direct_upload_needs_keys_and_no_proxy(stack, client, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, stack.secrets[name])
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{stack.ports['MINIO_PORT']}")
    experiment = client.client.create_experiment("direct", artifact_location="s3://mlflow/direct")
    run = client.client.create_run(experiment)
    client.client.log_text(run.info.run_id, "straight to the bucket", "note.txt")
    client.client.set_terminated(run.info.run_id)
    key = f"direct/{run.info.run_id}/artifacts/note.txt"
    body = stack.bucket().get_object(Bucket="mlflow", Key=key)["Body"].read()
    assert body == b"straight to the bucket"
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "straight to the bucket"


def test_eight_trainings_at_once_lose_nothing(stack, client, tmp_path):
    def train(number: int) -> subprocess.CompletedProcess:
        command = training(tmp_path / f"{number}.ipynb", "logreg", grid='{"C": [0.1, 1]}')
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)

    def runs(level: str) -> list:
        query = f"tags.level = '{level}' and tags.algorithm = 'logreg' and attributes.start_time > {began}"
        return search_runs(client.client, client.experiment_id, query)

    before, began = len(list_versions(client.client, "churn-logreg")), int(time.time() * 1000)
    with ThreadPoolExecutor(8) as pool:
        for done in pool.map(train, range(8)):
            assert done.returncode == 0, done.stderr[-3000:]
    versions = list_versions(client.client, "churn-logreg")
    assert [int(version.version) for version in versions] == list(range(1, before + 9))
    assert [version.tags["stage"] for version in versions[before:]] == ["archived"] * 7 + ["staging"]
    trees = {level: runs(level) for level in ("model", "fold", "combination")}
    assert {level: len(tree) for level, tree in trees.items()} == {"model": 8, "fold": 40, "combination": 80}
    assert {run.info.status for tree in trees.values() for run in tree} == {"FINISHED"}
