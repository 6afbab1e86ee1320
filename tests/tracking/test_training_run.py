import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from helpers.config import EMBEDDED_DATA, SCORES
from helpers.tracking import training_run
from helpers.tracking.runs import single_run
from helpers.tracking.stale_runs import (
    HEARTBEAT,
    OWNER,
    STALE_AFTER_SECONDS,
    is_stale,
    owner,
    search_runs,
    terminate_stale_runs,
)
from helpers.tracking.training_run import TrainingRun
from helpers.training.algorithms import add_step_prefix, make_pipeline

GRID = {"max_depth": [2, 3, None]}
FOLDS = StratifiedKFold(5, shuffle=True, random_state=42)


@pytest.fixture(scope="module")
def found(sample):
    """Return a real search's result."""
    return GridSearchCV(
        make_pipeline("tree"),
        add_step_prefix(GRID),
        scoring=SCORES,
        refit="f1",
        cv=FOLDS,
        return_train_score=True,
    ).fit(sample.X_train, sample.y_train)


def tree_of(store, sample, **kwargs) -> TrainingRun:
    return TrainingRun(store, "tree", sample.X_train, sample.y_train, FOLDS, EMBEDDED_DATA, **kwargs)


def log_all(tree: TrainingRun, found) -> None:
    for index, params in enumerate(found.cv_results_["params"]):
        for fold in range(5):
            scores = {
                f"{side}_{score}": found.cv_results_[f"split{fold}_{key}_{score}"][index]
                for side, key in (("train", "train"), ("val", "test"))
                for score in SCORES
            }
            tree.log(fold, index, params, scores)


def by_level(store) -> dict[str, list]:
    runs = {"model": [], "fold": [], "combination": []}
    for run in search_runs(store.client, store.experiment_id, ""):
        runs[run.data.tags["level"]].append(run)
    return runs


def test_tree_has_every_run_with_every_figure(store, sample, found):
    with tree_of(store, sample, grid=GRID) as tree:
        log_all(tree, found)
        tree.finish_search(found)
        tree.log_metrics({"test_f1": 0.5})
    runs = by_level(store)
    assert {level: len(found) for level, found in runs.items()} == {"model": 1, "fold": 5, "combination": 15}
    assert {run.info.status for level in runs.values() for run in level} == {"FINISHED"}

    model = runs["model"][0]
    assert model.info.run_name == "tree"
    assert model.data.params == {"max_depth": str(found.best_params_["classify__max_depth"])}
    assert model.data.metrics["test_f1"] == 0.5
    for side, key in (("train", "train"), ("val", "test")):
        for score in SCORES:
            for name in ("mean", "std"):
                logged = model.data.metrics[f"cv_{side}_{score}_{name}"]
                assert logged == found.cv_results_[f"{name}_{key}_{score}"][found.best_index_]
    assert len(model.data.tags["mlflow.source.git.commit"]) == 40
    assert model.data.tags["version.mlflow"]
    assert model.data.tags["data_sha256"] == tree.data_sha256
    assert [item.dataset.name for item in model.inputs.dataset_inputs] == ["bank_churn"]

    folds = {run.data.tags["fold"]: run for run in runs["fold"]}
    assert sorted(folds) == ["1", "2", "3", "4", "5"]
    for number, fold in folds.items():
        assert fold.info.run_name == f"fold-{number}"
        assert fold.data.tags["mlflow.parentRunId"] == model.info.run_id
        n_train, n_val = (int(fold.data.params[key]) for key in ("n_train", "n_val"))
        assert n_train + n_val == len(sample.X_train)
        best = found.cv_results_[f"split{int(number) - 1}_test_f1"][found.best_index_]
        assert fold.data.metrics["val_f1"] == best
        assert len(fold.data.metrics) == 6

    leaves = {(run.data.tags["fold"], run.info.run_name): run for run in runs["combination"]}
    assert len(leaves) == 15
    for (fold, name), leaf in leaves.items():
        assert leaf.data.tags["mlflow.parentRunId"] == folds[fold].info.run_id
        assert leaf.data.tags["algorithm"] == "tree"
        assert name == f"max_depth={leaf.data.params['max_depth']}"
        assert len(leaf.data.metrics) == 6
    index = found.cv_results_["params"].index({"classify__max_depth": None})
    leaf = leaves["2", "max_depth=None"]
    assert leaf.data.metrics["train_roc_auc"] == found.cv_results_["split1_train_roc_auc"][index]


def test_a_run_whose_answer_got_lost_does_not_stay(store, sample, found):
    with tree_of(store, sample) as tree:
        log_all(tree, found)
        tree.drain()
        fold = by_level(store)["fold"][0].info.run_id
        tags = {"level": "combination", "mlflow.parentRunId": fold}
        store.client.create_run(store.experiment_id, tags=tags)
        tree.finish_search(found)
    assert len(by_level(store)["combination"]) == 15


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_failure_leaves_nothing_running(store, sample, found, error, status):
    with pytest.raises(error), tree_of(store, sample) as tree:
        log_all(tree, found)
        raise error("in the middle")
    runs = by_level(store)
    assert {run.info.status for run in runs["model"] + runs["fold"]} == {status}
    assert {run.info.status for run in runs["combination"]} <= {"FINISHED", status}


def test_a_result_that_cannot_be_written_stops_the_training(store, sample, found):
    with pytest.raises(RuntimeError, match="could not be written to MLflow"), tree_of(store, sample) as tree:
        log_all(tree, found)
        tree.log(0, 0, {"classify__max_depth": 1}, {"val_f1": "not a number"})
        tree.finish_search(found)
    assert {run.info.status for run in by_level(store)["model"]} == {"FAILED"}


def test_an_error_before_the_first_result_leaves_no_run_running(store, sample, monkeypatch):
    def broken(*_):
        raise ImportError("no widgets here")

    monkeypatch.setattr(training_run, "progress", broken)
    with pytest.raises(ImportError), tree_of(store, sample):
        pass
    assert {run.info.status for run in search_runs(store.client, store.experiment_id, "")} == {"FAILED"}


CHILD = """
import signal, sys, time
# A shell that starts things in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from sklearn.model_selection import StratifiedKFold
from helpers.data.loading import data_path, load, split
from helpers.tracking.store import connect
from helpers.tracking.training_run import TrainingRun
X, _, y, _ = split(load().head(1500))
scores = dict.fromkeys(["train_f1", "val_f1"], 0.5)
with TrainingRun(connect(), "tree", X, y, StratifiedKFold(5), data_path()) as tree:
    for index in range(10_000):
        tree.log(index % 5, index, {"max_depth": index}, scores)
        if index == 20:
            print("under way", flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_next_start_leaves_no_run_of_a_dead_process_running(store, sample, how):
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"under way\n", child.stderr.read()
    child.send_signal(how)
    child.communicate(timeout=60)
    before = search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
    assert (len(before) > 0) == (how == signal.SIGKILL)
    with tree_of(store, sample) as tree:
        running = search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
        own = {run.info.run_id for run in running if tree.model_run_id in str(run.data.tags)}
        assert len(running) == 6
        assert len(own) == 5  # its folds; the sixth is the model run itself
    assert not search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
    assert len(search_runs(store.client, store.experiment_id, "attributes.status = 'KILLED'")) >= 6


def a_run(tags: dict, started: float = 0.0):
    return SimpleNamespace(data=SimpleNamespace(tags=tags), info=SimpleNamespace(start_time=started * 1000))


def test_who_counts_as_dead():
    now = time.time()
    assert not is_stale(a_run({OWNER: owner()}))
    machine, pid, started = owner().rsplit(":", 2)
    assert is_stale(a_run({OWNER: f"{machine}:{pid}:{float(started) - 1000}"}))  # the number was reused
    assert is_stale(a_run({OWNER: f"{machine}:{2**22 + 1}:{started}"}))
    elsewhere = {OWNER: "other-machine:1:1"}
    assert not is_stale(a_run({**elsewhere, HEARTBEAT: str(now - STALE_AFTER_SECONDS + 30)}, now))
    assert is_stale(a_run({**elsewhere, HEARTBEAT: str(now - STALE_AFTER_SECONDS - 30)}, now))
    assert not is_stale(a_run(elsewhere, now - 3600))
    assert is_stale(a_run(elsewhere, now - 25 * 3600))


def test_live_runs_of_others_are_left_alone(store):
    tags = {OWNER: "other-machine:1:1", HEARTBEAT: str(time.time()), "level": "model"}
    store.client.create_run(store.experiment_id, tags=tags)
    assert terminate_stale_runs(store.client, store.experiment_id) == []


def test_single_run_ends_whatever_happens(store):
    with single_run(store, "dataset") as run_id:
        assert store.client.get_run(run_id).info.status == "RUNNING"
    assert store.client.get_run(run_id).info.status == "FINISHED"
    for error, status in ((ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")):
        with pytest.raises(error), single_run(store, "dataset") as run_id:
            raise error
        assert store.client.get_run(run_id).info.status == status


def test_run_context_of_the_caller_is_on_every_run(store, sample, found, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"series": "s1"}')
    with tree_of(store, sample) as tree:
        log_all(tree, found)
        tree.finish_search(found)
    assert len(search_runs(store.client, store.experiment_id, "tags.series = 's1'")) == 21
