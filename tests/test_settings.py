"""The settings of every notebook: what is refused, by which words, and before what."""

import subprocess

import nbformat
import pytest

from helpers.config import ROOT
from helpers.data import DataSettings
from helpers.errors import DataError, SettingError
from helpers.monitoring import MonitorSettings
from helpers.registry import PromotionSettings
from helpers.scoring import ScoreSettings
from helpers.table import current_table
from helpers.tracking import search_runs
from helpers.training import TrainSettings
from helpers.workflows.notebooks import SETTINGS
from tests.support.bank import EMBEDDED_DATA, NEW_CUSTOMERS
from tests.support.trainings import training

CASES = [
    (DataSettings, {"data": 5}, "data must be the path of a table, as text, not 5"),
    (DataSettings, {"data": True}, "data must be the path of a table, as text, not True"),
    (TrainSettings, {"model": "svm"}, "unknown model 'svm': choose one of knn, logreg, tree, forest"),
    (TrainSettings, {"model": "knn\n"}, r"unknown model 'knn\\n'"),
    (TrainSettings, {"model": 5}, "model must be the name of an algorithm, not 5"),
    (TrainSettings, {"n_jobs": 0}, "n_jobs must be a number of threads, or -1 for one per core, not 0"),
    (TrainSettings, {"n_jobs": 1.5}, "n_jobs must be a number of threads"),
    (TrainSettings, {"n_jobs": True}, "n_jobs must be a number of threads"),
    (TrainSettings, {"n_jobs": 10**5000}, "n_jobs must be .* not a number of thousands of digits"),
    (TrainSettings, {"missed_cost": 10**19}, "missed_cost must be .* to 1e12, not 1000"),
    (TrainSettings, {"missed_cost": "five"}, "missed_cost must be .* not 'five'"),
    (TrainSettings, {"grid": 5}, "grid must be hyperparameters with their values, or JSON text, not 5"),
    (TrainSettings, {"grid": "{C}"}, "grid is not JSON"),
    (TrainSettings, {"grid": {5: [1]}}, "unknown grid key 5"),
    (TrainSettings, {"grid": {"n_neighbors": [0]}}, "grid key 'n_neighbors' cannot be 0"),
    (PromotionSettings, {"action": "look"}, "action must be one of promote, rollback, archive, dry_run"),
    (PromotionSettings, {"challenger": "a b"}, "challenger must be the name of an algorithm"),
    (PromotionSettings, {"reason": ""}, "reason must be text of 1 to 2000 characters, not ''"),
    (PromotionSettings, {"reason": 7}, "reason must be text"),
    (ScoreSettings, {"top": "ten"}, "top must be a number of customers, from 1 to 1000000, not 'ten'"),
    (ScoreSettings, {"top": 0}, "top must be a number of customers"),
    (ScoreSettings, {"top": 10**400}, "top must be a number of customers"),
    (ScoreSettings, {"top": False}, "top must be a number of customers"),
    (ScoreSettings, {"bad_rows": "drop"}, "bad_rows must be one of refuse, aside"),
    (ScoreSettings, {"out": "/proc/x/s.csv"}, "/proc/x/s.csv is not a file"),
    (ScoreSettings, {"out": "s3://bucket/o.csv"}, "is a URL"),
    (ScoreSettings, {"out": ""}, "out must be the path of a file"),
    (ScoreSettings, {"out": str(NEW_CUSTOMERS)}, "is the batch itself"),
    (ScoreSettings, {"out": str(EMBEDDED_DATA)}, "is not an earlier output"),
    (MonitorSettings, {"batch": 5}, "batch must be the path of a table"),
]


@pytest.mark.parametrize(("settings", "given", "message"), CASES)
def test_a_wrong_value_is_refused_with_what_is_expected(settings, given, message):
    with pytest.raises(SettingError, match=message):
        settings.check(given)


def test_a_path_may_be_text_or_a_path(tmp_path):
    out = tmp_path / "scores.csv"
    assert ScoreSettings.check({"out": out, "batch": NEW_CUSTOMERS}).out == out
    assert ScoreSettings.check({"out": str(out), "batch": str(NEW_CUSTOMERS)}).out == str(out)


@pytest.mark.parametrize("path", ["none.csv", "~nobody/x.csv", "x" * 5000, "a\0b"])
def test_a_file_that_does_not_exist_is_a_data_error(path):
    for settings in (DataSettings, MonitorSettings, TrainSettings, ScoreSettings, PromotionSettings):
        with pytest.raises(DataError, match="no file"):
            settings.check({"data": path})


def test_every_problem_is_in_one_message():
    with pytest.raises(SettingError) as error:
        TrainSettings.check({"modle": "tree", "datta": "x.csv", "n_jobs": 0, "data": "none.csv"})
    text = str(error.value)
    assert "unknown setting 'modle': did you mean model? The settings are table, algorithms, model," in text
    assert "unknown setting 'datta': did you mean data?" in text
    assert "n_jobs must be" in text and "no file none.csv" in text


def code_cells(notebook: str) -> list[str]:
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("notebook", SETTINGS)
def test_the_parameters_of_a_notebook_are_its_settings_and_are_checked_first(notebook):
    settings, parameters = SETTINGS[notebook], {}
    first, second, *_ = code_cells(notebook)
    exec(first, parameters)
    del parameters["__builtins__"]
    assert parameters == settings().model_dump()
    lines = [line for line in second.splitlines() if line and not line.startswith(("from ", "import "))]
    assert lines[0] == f"{settings.__name__}.check_notebook(globals())"


def test_no_table_in_an_open_kernel_is_the_one_it_started_with():
    telecom = str(ROOT / "data" / "telecom_churn.yaml")
    DataSettings.check_notebook({"table": telecom})
    assert current_table().name == "telecom"
    DataSettings.check({"data": None})  # a table that is not given changes nothing
    assert current_table().name == "telecom"
    DataSettings.check_notebook({"table": None})
    assert current_table().name == "churn"


def test_of_a_notebook_its_settings_and_what_papermill_injected_are_checked():
    cells = ['model = "knn"', "# Parameters\nmodle = \"tree\"\nmissed_cost = float('nan')\n", "later = 1"]
    variables = {"In": ["", *cells], "model": "knn", "modle": "tree", "missed_cost": 5, "later": 1}
    with pytest.raises(SettingError, match="unknown setting 'modle': did you mean model"):
        TrainSettings.check_notebook(variables)
    TrainSettings.check_notebook({**variables, "In": ["", "# Parameters\nmodel = 'knn'\n"]})
    TrainSettings.check_notebook({"model": "knn", "later": 1})  # run as a script
    with pytest.raises(SettingError, match="n_jobs"):
        TrainSettings.check_notebook({"n_jobs": 0})


def test_a_misspelt_parameter_ends_papermill_before_anything_runs(store, tmp_path):
    command = training(tmp_path / "out.ipynb", "tree", datta="x.csv")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "SettingError: unknown setting 'datta': did you mean data?" in done.stderr
    assert not search_runs(store.client, store.experiment_id, "")


def test_classes_in_a_grid_work_headlessly(store, tmp_path):
    grid = '{"class_weight": [{"0": 1, "1": 5}], "max_depth": [2]}'
    command = training(tmp_path / "out.ipynb", "tree", grid=grid, data=str(NEW_CUSTOMERS))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'model'")
    assert run.info.status == "FINISHED"
    assert run.data.params["class_weight"] == "{0: 1, 1: 5}"
