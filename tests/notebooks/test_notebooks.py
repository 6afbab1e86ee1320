"""What every notebook promises its reader; that its outputs still hold is nbval's job."""

import re
import subprocess

import nbformat
import pytest

from helpers.config import ROOT
from helpers.registry import staging_version
from helpers.tracking.stale_runs import search_runs
from helpers.training.algorithms import ALGORITHMS
from tests.support.paths import REAL_DATA, needs_real_data
from tests.support.trainings import training

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_first_code_cell_holds_the_parameters(notebook):
    assert code(notebook)[0].metadata.get("tags") == ["parameters"]


def test_cells_are_short_and_told_in_prose(notebook):
    lengths = sorted(len(cell.source.splitlines()) for cell in code(notebook))
    assert lengths[-1] <= 25
    assert lengths[len(lengths) // 2] <= 6
    assert notebook.cells[0].cell_type == notebook.cells[-1].cell_type == "markdown"
    assert 30 <= len(notebook.cells) <= 60


def test_outputs_are_stored_and_hold_nothing_of_one_machine(notebook):
    text = nbformat.writes(notebook)
    assert all(cell.execution_count for cell in code(notebook))
    assert not re.search(r'"(/home|/root|/tmp|/Users|/work)/', text)
    for cell in code(notebook):
        assert not any(output.output_type == "error" for output in cell.outputs)
        assert not any(output.get("name") == "stderr" for output in cell.outputs)
        assert not re.search(r"^\s*def ", cell.source, re.MULTILINE), "logic belongs into helpers"
        assert not re.search(r"^[%!]", cell.source, re.MULTILINE), "a broken magic passes silently"


def test_notebook_starts_on_the_python_at_hand(notebook):
    assert notebook.metadata["kernelspec"]["name"] == "python3"


@pytest.mark.stack
@needs_real_data
@pytest.mark.parametrize("model", ALGORITHMS)
def test_training_on_the_real_table_as_a_user_runs_it(store, tmp_path, model):
    command = training(tmp_path / "out.ipynb", model, data="../shared/data/Churn_Modelling.csv")
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'model'")
    assert run.data.metrics["cv_val_f1_mean"] == pytest.approx(EXPECTED[model][0], abs=5e-4)
    assert run.data.metrics["test_roc_auc"] == pytest.approx(EXPECTED[model][1], abs=5e-3)
    assert staging_version(store.client, model).run_id == run.info.run_id
    assert REAL_DATA.name in str(run.inputs.dataset_inputs[0].dataset.source)


# Of the real table, as published with it: best mean validation F1, hold-out ROC AUC.
EXPECTED = {
    "knn": (0.5226, 0.809),
    "logreg": (0.4936, 0.770),
    "tree": (0.5708, 0.842),
    "forest": (0.6124, 0.861),
}
