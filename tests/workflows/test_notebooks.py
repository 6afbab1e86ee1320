import os
import re
import signal
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from sklearn.model_selection import ParameterGrid

from helpers.config import ROOT
from helpers.errors import ExitCode, NotebookError
from helpers.registry import Gate, PromotionDecision, list_versions, log_promotion, production_version
from helpers.tracking import connect, search_runs
from helpers.tracking.stale_runs import OWNER
from helpers.training.algorithms import ALGORITHMS
from helpers.workflows import (
    NotebookStep,
    check_steps,
    notebook_steps,
    notebooks,
    run_notebooks,
    summarize,
    training_steps,
)
from helpers.workflows.notebooks import NOTEBOOKS
from tests.support import stores
from tests.support.bank import EMBEDDED_DATA, registered_name
from tests.support.command import churn
from tests.support.servers import wait

EXECUTED = '{"papermill": {}}'  # what a copy that papermill wrote is known by
HEADER, *LINES = EMBEDDED_DATA.read_text().splitlines()
CHURNED = [line for line in LINES if line.endswith(",1")]
RETAINED = [line for line in LINES if line.endswith(",0")]


@pytest.fixture(scope="module")
def done():
    """Return a store in which the notebooks ran, all four algorithms on their default grids."""
    with stores.in_use(stores.promoted()):
        yield connect()


@pytest.fixture(scope="module")
def model_runs(done):
    runs = search_runs(done.client, done.experiment_id, "tags.level = 'model'")
    return {run.data.tags["algorithm"]: run for run in runs}


def test_settings_reach_the_trainings_only():
    settings = {"missed_cost": 20.0}
    parameters = {step.name: step.parameters for step in notebook_steps(["knn"], settings=settings)}
    assert parameters["03_train-knn"] == {**settings, "model": "knn"}
    assert all("missed_cost" not in given for name, given in parameters.items() if "03" not in name)


def test_every_notebook_is_a_step():
    steps = {step.notebook for step in notebook_steps(["knn"])}
    assert steps == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}


def test_no_models_means_all():
    assert [step.parameters["model"] for step in training_steps()] == list(ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_fold_and_combination_is_a_finished_run(done, model_runs, name):
    model = model_runs[name]
    folds = search_runs(done.client, done.experiment_id, f"tags.`mlflow.parentRunId` = '{model.info.run_id}'")
    parents = {fold.info.run_id for fold in folds}
    children = [
        run
        for run in search_runs(
            done.client, done.experiment_id, f"tags.level = 'combination' and tags.algorithm = '{name}'"
        )
        if run.data.tags["mlflow.parentRunId"] in parents
    ]
    assert len(folds) == 5
    assert len(children) == 5 * len(ParameterGrid(ALGORITHMS[name].grid))
    assert {run.info.status for run in [model, *folds, *children]} == {"FINISHED"}
    assert all(len(child.data.metrics) == 6 for child in children)
    assert {"test_f1", "test_accuracy", "test_roc_auc", "cv_val_f1_mean"} <= model.data.metrics.keys()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_model_run_has_its_artifacts_and_its_executed_notebook(done, model_runs, name):
    run_id = model_runs[name].info.run_id

    def files(folder: str | None = None) -> set[str]:
        return {item.path for item in done.client.list_artifacts(run_id, folder)}

    assert {"cv_results.csv", "notebook", "pickle", "pipeline", "plots", "table.yaml"} <= files()
    assert files("notebook") == {f"notebook/03_train-{name}.ipynb"}
    assert files("pickle") | files("pipeline") == {"pickle/model.pkl", "pipeline/pipeline.py"}
    assert len(files("plots")) == 5


def test_other_notebooks_are_attached_to_the_runs_they_created(done):
    for level, expected in (("dataset", {"01_eda", "02_preprocess"}), ("promotion", {"04_registry"})):
        (run,) = search_runs(done.client, done.experiment_id, f"tags.level = '{level}'")
        paths = {item.path for item in done.client.list_artifacts(run.info.run_id, "notebook")}
        assert paths == {f"notebook/{name}.ipynb" for name in expected}


def test_the_summary_names_the_winner(done, model_runs):
    table = summarize(done, model_runs["knn"].data.tags["workflow"])
    assert sorted(table["algorithm"]) == sorted(ALGORITHMS)
    winner = table.loc[table["won"] != ""]
    assert winner.index.tolist() == [table["CV F1"].idxmax()] == [0]
    assert winner["version"].item() == f"{registered_name(winner['algorithm'].item())} v1"
    assert production_version(done.client).run_id == model_runs[winner["algorithm"].item()].info.run_id
    assert all(len(list_versions(done.client, registered_name(name))) == 1 for name in ALGORITHMS)


def test_executed_copies_hold_outputs_and_parameters(done):
    notebook = nbformat.read(stores.executed() / "03_train-tree.ipynb", as_version=4)
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert 'model = "tree"' in injected[0].source


def test_a_failing_notebook_stops_the_workflow_with_the_cells_error(store, tmp_path, capsys):
    steps = [NotebookStep(name, name) for name in ("04_registry", "05_score")]
    with pytest.raises(NotebookError, match=r"04_registry failed in cell \d+: NoChallengers: ") as raised:
        run_notebooks(steps, tmp_path, store)
    assert str(tmp_path / "04_registry.ipynb") in str(raised.value)
    printed = capsys.readouterr().out
    assert "[1/2]" in printed and "[2/2]" not in printed


def test_a_rejection_is_named_before_a_notebook_misses_the_production_model(store, tmp_path, monkeypatch):
    gate = Gate("better than no model", False, "hold-out F1 0.1, without a model 0.2")

    def execute(step, copy, store):
        copy.write_text("{}")
        log_promotion(store, PromotionDecision("promote", "tree", [gate], None, ""), pd.DataFrame())

    monkeypatch.setattr(notebooks, "_execute", execute)
    steps = [NotebookStep(name, name) for name in ("04_registry", "05_score")]
    message = (
        "next notebooks need it. rejected: tree failed better than no model (hold-out F1 0.1, without a mo"
    )
    with pytest.raises(NotebookError, match=re.escape(message)):
        run_notebooks(steps, tmp_path, store)
    run_notebooks(steps[:1], tmp_path, store)  # nothing follows


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        (["CustomerId,Age", "1,40"], ExitCode.FAILED, "bad.csv cannot be used"),
        ([HEADER, *CHURNED[:10], *RETAINED[:10]], ExitCode.USAGE, "n_neighbors of 15, 21, 31: "),
    ],
    ids=["no customers", "too few for the grid"],
)
@pytest.mark.parametrize("command", ["run", "train"])
def test_a_table_that_cannot_be_used_is_refused_before_any_notebook_starts(
    command, lines, code, message, tmp_path, capsys
):
    bad, earlier = tmp_path / "bad.csv", tmp_path / "03_train-knn.ipynb"
    bad.write_text("\n".join([*lines, ""]))
    earlier.write_text(EXECUTED)
    assert churn(command, "--models", "knn", "--data", bad, "--out", tmp_path) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert earlier.read_text() == EXECUTED


def test_an_executed_copy_replaces_only_an_earlier_one(done, tmp_path, capsys):
    copy = tmp_path / "01_eda.ipynb"
    copy.write_bytes(before := (NOTEBOOKS / copy.name).read_bytes())
    assert churn("run", "--only", "01_eda", "--out", tmp_path) == 2
    assert f"{copy} exists and is not an earlier output" in capsys.readouterr().err
    assert copy.read_bytes() == before
    executed = (stores.executed() / copy.name).read_bytes()
    copy.write_bytes(executed[: len(executed) // 2])  # killed while it was written
    check_steps([NotebookStep("01_eda", "01_eda")], tmp_path)


def test_an_invalid_cost_is_rejected_before_the_search(store, tmp_path, capsys):
    assert churn("train", "--models", "forest", "--missed-cost", 0, "--out", tmp_path) != 0
    assert "missed_cost must be a number from 1e-6 to 1e12, not 0.0" in capsys.readouterr().err
    assert not search_runs(store.client, store.experiment_id, "")


def test_a_killed_kernel_is_reported_and_leaves_no_run_running(store, tmp_path):
    def runs(query: str) -> list:
        return search_runs(store.client, store.experiment_id, query)

    command = [sys.executable, "-m", "helpers", "train", "--models", "forest", "--out", tmp_path]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait(lambda: runs("tags.level = 'fold'"))
    (model,) = runs("tags.level = 'model'")
    os.kill(int(model.data.tags[OWNER].rsplit(":", 2)[1]), signal.SIGKILL)  # as when out of memory
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "03_train-forest failed: Kernel died. Was there enough memory?" in errors
    assert runs("attributes.status = 'RUNNING'") == []
    assert store.client.get_run(model.info.run_id).info.status == "KILLED"


def test_an_unknown_model_is_rejected_before_anything_runs(capsys):
    assert churn("run", "--models", "knn,svm") == 2
    assert "unknown model 'svm'" in capsys.readouterr().err


def test_mlflow_run_has_the_same_entry_points(store):
    command = [sys.executable, "-m", "mlflow", "run", ".", "-e", "preprocess", "--env-manager", "local"]
    subprocess.run(
        command,
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},
    )
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'dataset'")
    assert run.info.status == "FINISHED"
