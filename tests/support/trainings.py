"""Trainings for tests: as a user starts one, and tracked by hand with a search's result."""

import sys
from pathlib import Path

from sklearn.model_selection import ParameterGrid

from helpers.config import folds
from helpers.search import SearchResult
from helpers.tracking import Store, TrainingRun, search_runs
from tests.support.bank import EMBEDDED_DATA

GRID = {"max_depth": [2, 3, None]}


def training(copy: Path, model: str, **parameters: str) -> list[str]:
    """Return the papermill command of a training; run it in the project's folder."""
    command = [sys.executable, "-m", "papermill", "notebooks/03_train.ipynb", str(copy), "--no-progress-bar"]
    # Papermill's minute is too short for a kernel that starts beside seven others on two cores.
    command += ["--start-timeout", "300"]
    for name, value in {"model": model, **parameters}.items():
        command += ["-p", name, value]
    return command


def training_run(store: Store, sample, grid: dict | None = None) -> TrainingRun:
    """Return the run of a training of the decision tree, not yet entered."""
    return TrainingRun(store, "tree", sample.X_train, sample.y_train, folds(), EMBEDDED_DATA, grid)


def log_all(run: TrainingRun, result: SearchResult) -> None:
    """Log every result of a search, as the search does while it runs."""
    for index, params in enumerate(result.cv_results_["params"]):
        for fold, scores in enumerate(result.fold_scores(index)):
            run.log(fold, index, params, scores)


def runs_by_level(store: Store) -> dict[str, list]:
    """Return every run of the experiment by its level."""
    runs: dict[str, list] = {"model": [], "fold": [], "combination": []}
    for run in search_runs(store.client, store.experiment_id, ""):
        runs[run.data.tags["level"]].append(run)
    return runs


def track(store: Store, sample, result: SearchResult) -> TrainingRun:
    """Track a whole training."""
    with training_run(store, sample, GRID) as run:
        log_all(run, result)
        run.finish_search(result)
        run.log_metrics({"test_f1": 0.5})
    return run


def assert_complete(store: Store, run: TrainingRun, result: SearchResult) -> None:
    """Assert that the experiment holds one training, with every run and value of the search."""
    runs = runs_by_level(store)
    assert {level: len(group) for level, group in runs.items()} == {"model": 1, "fold": 5, "combination": 15}
    assert {one.info.status for group in runs.values() for one in group} == {"FINISHED"}
    assert {one.data.tags["algorithm"] for group in runs.values() for one in group} == {"tree"}
    for group in runs.values():
        assert all(one.data.tags.keys() >= {"mlflow.user", "mlflow.source.name"} for one in group)
    best = result.best_index_

    (model,) = runs["model"]
    assert model.info.run_name == "tree"
    assert model.data.params == {"max_depth": str(result.best_params_["classify__max_depth"])}
    means = {f"cv_{name}": value for name, value in result.mean_scores(best).items()}
    assert len(means) == 12
    latest = {f"folds/{name}": value for name, value in result.fold_scores(best)[-1].items()}
    assert model.data.metrics == means | latest | {"test_f1": 0.5}
    for name in latest:
        history = store.client.get_metric_history(model.info.run_id, name)
        by_fold = {metric.step: metric.value for metric in history}
        scores = result.fold_scores(best)
        assert by_fold == {number: one[name.removeprefix("folds/")] for number, one in enumerate(scores, 1)}
    assert len(model.data.tags["mlflow.source.git.commit"]) == 40
    assert model.data.tags["version.mlflow"]
    assert model.data.tags["data_sha256"] == run.data_sha256
    assert [item.dataset.name for item in model.inputs.dataset_inputs] == ["bank_churn"]

    fold_runs = {one.data.tags["fold"]: one for one in runs["fold"]}
    assert sorted(fold_runs) == ["1", "2", "3", "4", "5"]
    for number, fold in fold_runs.items():
        assert fold.info.run_name == f"fold-{number}"
        assert fold.data.tags["mlflow.parentRunId"] == model.info.run_id
        assert int(fold.data.params["n_train"]) + int(fold.data.params["n_val"]) == 1200
        assert fold.data.metrics == result.fold_scores(best)[int(number) - 1]

    children = {(one.data.tags["fold"], one.info.run_name): one for one in runs["combination"]}
    for index, params in enumerate(ParameterGrid(GRID)):
        for number, scores in enumerate(result.fold_scores(index), 1):
            child = children[str(number), f"max_depth={params['max_depth']}"]
            assert child.data.tags["mlflow.parentRunId"] == fold_runs[str(number)].info.run_id
            assert child.data.params == {"max_depth": str(params["max_depth"])}
            assert child.data.metrics == scores
            assert len(scores) == 6
