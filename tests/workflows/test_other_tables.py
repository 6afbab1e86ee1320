"""Other tables than the bank's go through everything, beside it in one store."""

import json
import subprocess
import sys
import warnings

import mlflow
import pandas as pd
import pytest

from helpers.config import DECISION_THRESHOLD, ROOT
from helpers.data import load, make_customers
from helpers.errors import ExitCode
from helpers.registry import history, list_versions, load_production_model, production_version
from helpers.serving import model_server, request_scores
from helpers.table import use_table
from helpers.tracking import connect, search_runs
from tests.support import bank, stores
from tests.support.command import churn
from tests.support.wide import write_wide_table

pytestmark = pytest.mark.stack  # it takes minutes

TELECOM = ROOT / "data" / "telecom_churn.yaml"
NEW_CUSTOMERS = TELECOM.with_name("new_telecom_customers.csv")


@pytest.fixture(scope="module")
def shared_store():
    """Return a store in which all notebooks ran for the bank."""
    with stores.in_use(stores.copy(stores.promoted())) as uri:
        yield uri


@pytest.fixture(scope="module")
def telecom_outputs(shared_store, tmp_path_factory):
    """Run all notebooks on the telecom's table, in the bank's store; return the folder of executed copies."""
    folder = tmp_path_factory.mktemp("telecom")
    command = [sys.executable, "-m", "helpers", "run", "--table", str(TELECOM), "--models", "tree"]
    subprocess.run([*command, "--out", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture
def telecom(telecom_outputs, monkeypatch):
    """Return the connection to the store with the telecom's table in use."""
    monkeypatch.setenv("CHURN_TABLE", str(TELECOM))
    return connect()


def test_every_notebook_ran_and_the_figures_are_sane(telecom, telecom_outputs):
    assert len(list(telecom_outputs.glob("*.ipynb"))) == 6
    scores = pd.read_csv(telecom_outputs / "scores.csv")
    assert (
        len(scores) == len(load(NEW_CUSTOMERS, target=False)) and scores["customer"].str.match(r"T-\d+").all()
    )
    assert telecom.client.get_experiment(telecom.experiment_id).name == "EXP_Telecom_Modelling"
    (model,) = search_runs(telecom.client, telecom.experiment_id, "tags.level = 'model'")
    assert model.data.metrics["test_roc_auc"] > 0.7
    (monitoring,) = search_runs(telecom.client, telecom.experiment_id, "tags.level = 'monitoring'")
    assert monitoring.data.params["decision"] != "retrain"


def test_the_banks_models_and_runs_are_untouched(telecom, shared_store):
    names = {version.name for version in telecom.client.search_model_versions("")}
    assert names == {
        "telecom",
        "telecom-tree",
        "churn",
        *map(bank.registered_name, ("knn", "logreg", "tree", "forest")),
    }
    assert production_version(telecom.client).name == "telecom"
    use_table(bank.BANK)
    assert production_version(telecom.client).name == "churn"
    assert [len(list_versions(telecom.client, name)) for name in ("churn", "churn-tree")] == [1, 1]
    assert len(history(telecom.client)) == 1
    assert connect().experiment_id != telecom.experiment_id


def test_the_script_of_a_model_gives_its_metrics(telecom, tmp_path):
    (run,) = search_runs(telecom.client, telecom.experiment_id, "tags.level = 'model'")
    script = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="pipeline/pipeline.py", dst_path=str(tmp_path)
    )
    done = subprocess.run(
        [sys.executable, script, str(TELECOM.with_suffix(".csv"))], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {name: run.data.metrics[name] for name in json.loads(done.stdout)}


def test_missing_values_and_the_category_none_are_served_as_scored(telecom):
    customers = load(NEW_CUSTOMERS, target=False).head(200)
    assert customers["Data GB"].isna().any() and (customers["Internet"] == "None").any()
    model = load_production_model(telecom.client)
    assert 0 < model.threshold < 1 and DECISION_THRESHOLD in production_version(telecom.client).tags
    with model_server() as url:
        served = request_scores(url, customers)
    pd.testing.assert_frame_equal(served, model.score(customers), check_exact=False, rtol=0, atol=1e-12)


def test_a_shift_is_found_and_retrained_on(telecom, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_customers(1500, 21, {"concept": 1.0}).to_csv(tmp_path / "shifted.csv", index=False)
    retrain = ["--batch", tmp_path / "shifted.csv", "--models", "tree", "--out", tmp_path]
    assert churn("retrain", *retrain) == ExitCode.DONE
    stages = [version.tags["stage"] for version in list_versions(telecom.client, "telecom")]
    assert stages.count("production") == 1
    merged = pd.read_csv(next(tmp_path.glob("customers-*.csv")), keep_default_na=False)
    assert set(merged["Churn"]) == {"Yes", "No"} and "None" in set(merged["Internet"])


def test_sixty_awkward_columns_go_through_all_notebooks(store, tmp_path, capsys):
    description, table = write_wide_table(tmp_path)
    run = ["run", "--table", description, "--data", table, "--models", "logreg", "--out", tmp_path / "out"]
    assert churn(*run) == ExitCode.FAILED
    assert "has no sample of new customers: give the path of a table as batch" in capsys.readouterr().err
    assert churn(*run, "--batch", table) == ExitCode.DONE, capsys.readouterr().err
    assert production_version(store.client).name == "credit_default"
    assert "EXP_Credit_Default_Modelling" in {each.name for each in store.client.search_experiments()}
    assert len(pd.read_csv(tmp_path / "out" / "scores.csv")) == len(pd.read_csv(table))
