"""Rules for every notebook; nbval compares the outputs."""

import json
import re
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest

from helpers.config import ROOT
from helpers.registry import staging_version
from helpers.training import combination_name
from tests.support.paths import BENCH, PUBLISHED, REAL_DATA, needs_real_data
from tests.support.trainings import runs_by_level, training

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook_path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(notebook_path):
    return nbformat.read(notebook_path, as_version=4)


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def title_word(path: Path) -> str:
    """Return the word after the number in a notebook's title: ``Train`` of ``# 3 · Train: ...``."""
    number = int(path.stem[:2])
    title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
    match = re.fullmatch(rf"# {number} · (\w+): [^.]+", title)
    assert match, f"{path.name}: {title!r}"
    return match[1]


def test_title_has_number_word_and_subject(notebook_path):
    assert title_word(notebook_path)


def test_navigation_links_the_previous_and_the_next_notebook(notebook, notebook_path):
    place = NOTEBOOKS.index(notebook_path)
    links = []
    if place > 0:
        before = NOTEBOOKS[place - 1]
        links.append(f"[← {place} · {title_word(before)}]({before.name})")
    if place + 1 < len(NOTEBOOKS):
        after = NOTEBOOKS[place + 1]
        links.append(f"[{place + 2} · {title_word(after)} →]({after.name})")
    assert notebook.cells[0].source.splitlines()[1:4] == ["", " | ".join(links), ""]


def test_first_code_cell_has_the_parameters(notebook):
    assert code(notebook)[0].metadata.get("tags") == ["parameters"]


def test_prose_introduces_short_cells(notebook):
    lengths = sorted(len(cell.source.splitlines()) for cell in code(notebook))
    assert lengths[-1] <= 25
    assert lengths[len(lengths) // 2] <= 6
    assert 30 <= len(notebook.cells) <= 60
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == kinds[-1] == "markdown"
    assert ["code"] * 3 not in [kinds[start : start + 3] for start in range(len(kinds))]


def test_prose_is_wrapped(notebook):
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    lines = [line for text in prose for line in text.splitlines() if not line.startswith("|")]
    assert max(map(len, lines)) <= 110


def test_imports_are_from_packages_not_from_their_modules(notebook):
    source = "\n".join(cell.source for cell in code(notebook))
    assert set(re.findall(r"^\s*(?:from|import) (helpers\S*)", source, re.MULTILINE)) <= {
        f"helpers.{path.stem}" for path in (ROOT / "helpers").iterdir() if not path.stem.startswith("_")
    }


def test_outputs_are_stored_and_do_not_depend_on_the_machine(notebook):
    text = nbformat.writes(notebook)
    assert all(cell.execution_count for cell in code(notebook))
    assert not re.search(r'"(/home|/root|/tmp|/Users|/work)/', text)
    for cell in code(notebook):
        assert not any(output.output_type == "error" for output in cell.outputs)
        assert not any(output.get("name") == "stderr" for output in cell.outputs)


def test_cells_have_no_functions_and_no_magics(notebook):
    for cell in code(notebook):
        assert not re.search(r"^\s*def ", cell.source, re.MULTILINE), "logic belongs in helpers"
        assert not re.search(r"^[%!]", cell.source, re.MULTILINE), "a failing magic raises no error"


def test_kernel_is_the_default_python(notebook):
    assert notebook.metadata["kernelspec"]["name"] == "python3"


@needs_real_data
@pytest.mark.skipif(not BENCH.is_dir(), reason="the published results, ../shared/bench, are not there")
@pytest.mark.parametrize(
    "model", [*(pytest.param(name, marks=pytest.mark.stack) for name in ("knn", "forest")), "logreg", "tree"]
)
def test_papermill_trains_on_the_real_table_with_the_published_results(store, tmp_path, model):
    command = training(tmp_path / "out.ipynb", model, data="../shared/data/Churn_Modelling.csv")
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    runs = runs_by_level(store)
    published = json.loads((BENCH / "expected" / f"{model}.json").read_text())
    names = [combination_name(params) for params in published.pop("params")]
    tracked = {run.data.tags["key"]: run for run in runs["combination"]}
    assert {key: run.info.run_name for key, run in tracked.items()} == {
        f"fold-{fold}/{index}": name for fold in range(1, 6) for index, name in enumerate(names)
    }
    for key, values in published.items():
        fold, kind, score = re.fullmatch(r"split(\d)_(train|test)_(\w+)", key).groups()
        metric = f"{kind.replace('test', 'val')}_{score}"
        scores = [tracked[f"fold-{int(fold) + 1}/{i}"].data.metrics[metric] for i in range(len(names))]
        assert scores == pytest.approx(values, rel=0, abs=1e-6), key

    (run,) = runs["model"]
    f1, auc = PUBLISHED[model]
    assert run.data.metrics["cv_val_f1_mean"] == pytest.approx(f1, abs=5e-4)
    best = max(np.mean([published[f"split{fold}_test_f1"] for fold in range(5)], axis=0))
    assert run.data.metrics["cv_val_f1_mean"] == pytest.approx(best, rel=0, abs=1e-6)
    assert run.data.metrics["test_roc_auc"] == pytest.approx(auc, abs=5e-3)
    assert staging_version(store.client, model).run_id == run.info.run_id
    assert REAL_DATA.name in str(run.inputs.dataset_inputs[0].dataset.source)
