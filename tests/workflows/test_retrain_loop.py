"""Files and folders of new customers: what is processed, in which order, and how errors end."""

import os

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from helpers.errors import ExitCode, RegistryError
from helpers.files import sha256
from helpers.registry import promote
from helpers.workflows import process_forever, retrain_loop, retraining
from tests.support import stores
from tests.support.bank import NEW_CUSTOMERS
from tests.support.command import churn
from tests.workflows.batches import assert_consistent, runs, write_batch


@pytest.fixture
def store(production_store):
    return production_store


@pytest.fixture
def broken(monkeypatch):
    """Return a function that lets the processing of the named batch raise an error."""

    def break_batch(name: str, error: Exception) -> None:
        process_batch = retrain_loop.process_batch

        def process(store, batch, *rest):
            if batch.name == name:
                raise error
            return process_batch(store, batch, *rest)

        monkeypatch.setattr(retrain_loop, "process_batch", process)

    return break_batch


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the batches first.csv and second.csv."""
    folder = tmp_path / "batches"
    folder.mkdir()
    for age, name in enumerate(["second.csv", "first.csv"]):
        os.utime(write_batch(folder / name, 300, 60 + age), (1000 - age, 1000 - age))
    return folder


def processed(store) -> list[str]:
    return [run.data.tags["batch"] for run in reversed(runs(store, "retrain"))]


def test_an_empty_folder_is_no_error(store, retrain, tmp_path, capsys):
    (tmp_path / "batches").mkdir()
    assert retrain(tmp_path / "batches") == ExitCode.DONE
    assert "nothing to do" in capsys.readouterr().out


def test_a_folders_tables_are_processed_oldest_first(store, retrain, tmp_path, capsys):
    folder = tmp_path / "batches"
    folder.mkdir()
    for age, name in enumerate(["c.csv", "a.csv", "b.csv", ".half.csv", "note.txt"]):
        path = folder / name
        path.write_text("CustomerId,Age\n1,40\n") if name == "a.csv" else write_batch(path, 300, 60 + age)
        os.utime(path, (1000 - age, 1000 - age))
    paths, is_folder = retrain_loop.list_batches(str(folder))
    assert ([path.name for path in paths], is_folder) == (["b.csv", "a.csv", "c.csv"], True)
    assert retrain(folder) == ExitCode.FAILED  # a.csv; the others are processed all the same
    error = capsys.readouterr().err
    assert error.startswith("Error in a.csv: a.csv cannot be used")
    assert "Traceback" not in error
    assert processed(store) == ["b.csv", "a.csv", "c.csv"]
    statuses = [run.info.status for run in reversed(runs(store, "retrain"))]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]


def test_drift_without_outcomes_remains_an_alarm_until_another_version_is_promoted(
    store, retrain, tmp_path, capsys
):
    batch = write_batch(tmp_path / "batches.csv", outcomes=False, covariate=0.8)
    assert retrain(batch) == ExitCode.LABELS_MISSING
    output = capsys.readouterr().out
    assert "drift found, but too few outcomes" in output
    assert "Of 2000 new customers, 0 have a known outcome" in output
    assert retrain(tmp_path) == ExitCode.LABELS_MISSING  # the same file, in a folder
    assert len(runs(store, "monitoring")) == 1
    promote(store.client, "churn-forest", 1, "another")
    assert retrain(tmp_path) == ExitCode.DONE
    assert len(runs(store, "monitoring")) == 1


def test_a_run_from_before_the_versions_tags_counts_as_processed(store, retrain, tmp_path, capsys):
    batch = write_batch(tmp_path / "old.csv", 300)
    tags = {"level": "retrain", "outcome": "kept", "batch_sha256": sha256(batch)}
    old = store.client.create_run(store.experiment_id, tags=tags)
    store.client.set_terminated(old.info.run_id)
    assert retrain(tmp_path) == ExitCode.DONE
    assert "old.csv: already processed (production version unknown)" in capsys.readouterr().out
    assert retrain(batch) == ExitCode.DONE  # by name: the version may be another one
    assert len(runs(store, "monitoring")) == 1


def test_a_program_fault_prints_its_traceback_and_does_not_stop_the_next_table(
    store, retrain, folder, broken, capsys
):
    broken("first.csv", ZeroDivisionError("a bug"))
    assert retrain(folder) == ExitCode.FAILED
    error = capsys.readouterr().err
    assert error.startswith("Error in first.csv: a bug\nTraceback")
    assert "ZeroDivisionError: a bug" in error
    assert processed(store) == ["second.csv"]


def test_an_error_that_every_table_would_meet_ends_the_call(store, retrain, folder, broken, capsys):
    broken("first.csv", RegistryError("no model"))
    assert retrain(folder) == ExitCode.FAILED
    assert capsys.readouterr().err == "Error: no model\n"
    assert processed(store) == []


def test_a_store_that_fails_later_is_a_clear_error(store, retrain, monkeypatch, capsys):
    def fail(*_):
        raise MlflowException("server gone")

    monkeypatch.setattr(retrain_loop, "production_version", fail)
    monkeypatch.setattr(retrain_loop, "terminate_stale_runs", fail)
    assert retrain(NEW_CUSTOMERS) == ExitCode.FAILED
    assert capsys.readouterr().err == "Error: MLflow: server gone\n"


@pytest.mark.parametrize("error", [RegistryError("no model"), ZeroDivisionError("a bug")])
def test_no_error_ends_the_endless_loop(store, tmp_path, broken, monkeypatch, capsys, error):
    batch = write_batch(tmp_path / "new.csv", 300)
    broken(batch.name, error)
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(retrain_loop.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        process_forever(str(batch), None, None, tmp_path / "out", 60)
    assert pauses == [60, 60]
    printed = capsys.readouterr().err
    assert printed.splitlines().count(f"Error: {error}") == 2
    assert printed.count("Traceback") == (2 if isinstance(error, ZeroDivisionError) else 0)


def test_an_interruption_has_its_own_exit_code_and_leaves_nothing_running(store, retrain, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(retraining, "run_monitoring", interrupt)
    assert retrain(NEW_CUSTOMERS) == ExitCode.INTERRUPTED
    assert [run.info.status for run in runs(store, "retrain")] == ["KILLED"]
    assert_consistent(store)


def test_wrong_usage_and_unusable_files_are_clear_errors(store, retrain, tmp_path, capsys):
    assert retrain(tmp_path / "none.csv") == ExitCode.FAILED
    assert "no file" in capsys.readouterr().err
    for batch, option, message in (
        (NEW_CUSTOMERS, "--models=svm", "unknown model 'svm'"),
        ("", "--every=1", "is empty"),
        ("x", "--every=-5", "--every must be"),
    ):
        assert churn("retrain", "--batch", batch, option) == ExitCode.USAGE
        assert message in capsys.readouterr().err
    without_ids = tmp_path / "without_ids.csv"
    table = pd.read_csv(write_batch(without_ids, covariate=0.8))
    table.drop(columns="CustomerId").to_csv(without_ids, index=False)
    assert retrain(without_ids) == ExitCode.FAILED
    assert "CustomerId: the column is missing" in capsys.readouterr().err
    assert_consistent(store)


def test_no_production_model_is_a_clear_error(retrain, capsys):
    with stores.in_use(stores.empty()):
        assert retrain(NEW_CUSTOMERS) == ExitCode.FAILED
    assert capsys.readouterr().err.startswith("Error: nothing is in production")
