import signal
import subprocess
import sys

import pytest

from helpers.tracking import search_runs, training_run
from tests.support.trainings import assert_complete, log_all, runs_by_level, track
from tests.support.trainings import training_run as tree_run


def test_training_has_every_run_and_every_value(store, sample, result):
    assert_complete(store, track(store, sample, result), result)


def test_child_run_whose_creation_was_repeated_is_ended_and_deleted(store, sample, result):
    with tree_run(store, sample) as run:
        log_all(run, result)
        run.drain()
        fold = runs_by_level(store)["fold"][0].info.run_id
        tags = {"level": "combination", "mlflow.parentRunId": fold}
        orphan = store.client.create_run(store.experiment_id, tags=tags).info.run_id
        run.finish_search(result)
    assert len(runs_by_level(store)["combination"]) == 15
    info = store.client.get_run(orphan).info
    assert (info.status, info.lifecycle_stage) == ("KILLED", "deleted")


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_failed_training_leaves_nothing_running(store, sample, result, error, status):
    with pytest.raises(error), tree_run(store, sample) as run:
        log_all(run, result)
        raise error("in the middle")
    runs = runs_by_level(store)
    assert {run.info.status for run in runs["model"] + runs["fold"]} == {status}
    assert {run.info.status for run in runs["combination"]} <= {"FINISHED", status}


def test_result_that_cannot_be_written_stops_the_training(store, sample, result):
    with pytest.raises(RuntimeError, match="could not be written to MLflow"), tree_run(store, sample) as run:
        log_all(run, result)
        run.log(0, 0, {"classify__max_depth": 1}, {"val_f1": "not a number"})
        run.finish_search(result)
    assert {run.info.status for run in runs_by_level(store)["model"]} == {"FAILED"}


def test_error_before_the_first_result_leaves_no_run_running(store, sample, monkeypatch):
    def fail(*_):
        raise ImportError("no widgets here")

    monkeypatch.setattr(training_run, "progress", fail)
    with pytest.raises(ImportError), tree_run(store, sample):
        pass
    assert {run.info.status for run in search_runs(store.client, store.experiment_id, "")} == {"FAILED"}


CHILD = """
import signal, sys, time
# A shell that starts processes in the background makes them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from sklearn.model_selection import StratifiedKFold
from helpers.data import data_path, load, split
from helpers.tracking import TrainingRun, connect
X, _, y, _ = split(load().head(1500))
scores = dict.fromkeys(["train_f1", "val_f1"], 0.5)
with TrainingRun(connect(), "tree", X, y, StratifiedKFold(5), data_path()) as run:
    for index in range(10_000):
        run.log(index % 5, index, {"max_depth": index}, scores)
        if index == 20:
            print("running", flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_next_training_ends_the_runs_of_a_dead_process(store, sample, stop):
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"running\n", child.stderr.read()
    child.send_signal(stop)
    child.communicate(timeout=60)
    before = search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
    assert (len(before) > 0) == (stop == signal.SIGKILL)
    with tree_run(store, sample) as run:
        running = search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
        folds = {one.info.run_id for one in running if run.model_run_id in str(one.data.tags)}
        assert len(running) == 6
        assert len(folds) == 5  # the sixth is the model run itself
    assert not search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'")
    assert len(search_runs(store.client, store.experiment_id, "attributes.status = 'KILLED'")) >= 6


def test_run_context_of_the_caller_is_on_every_run(store, sample, result, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"workflow": "w1"}')
    track(store, sample, result)
    assert len(search_runs(store.client, store.experiment_id, "tags.workflow = 'w1'")) == 21
