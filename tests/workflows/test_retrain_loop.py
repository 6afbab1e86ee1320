"""The loop monitor -> decide -> retrain -> gates -> promote with real runs, and all that can stop it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from helpers.config import NEW_CUSTOMERS, ROOT, TARGET
from helpers.data.loading import load
from helpers.data.synthetic import make_customers
from helpers.files import sha256
from helpers.registry import list_versions, production_version, promote
from helpers.tracking.stale_runs import OWNER, owner, search_runs
from helpers.tracking.store import connect
from helpers.workflows import retrain_loop
from helpers.workflows.retrain_loop import BUSY, DONE, FAILED, INTERRUPTED, LABELS_MISSING, main
from tests.support import stores
from tests.support.servers import mlflow_server, postgres


@pytest.fixture
def store():
    """Return a store in which the series ran and a model of its own choice is live: the weakest."""
    with stores.in_use(stores.copy(stores.promoted())):
        connection = connect()
        promote(connection.client, "churn-logreg", 1, "to be beaten")
        yield connection


@pytest.fixture
def call(tmp_path):
    """Return a function that calls the command with a folder of its own for results."""

    def call(batch: Path, *options: str) -> int:
        return main(["--batch", str(batch), "--out", str(tmp_path / "out"), *options])

    return call


def written(path: Path, rows: int = 2000, seed: int = 50, outcomes: bool = True, **shift: float) -> Path:
    table = make_customers(rows, seed, shift)
    (table if outcomes else table.drop(columns=TARGET)).to_csv(path, index=False)
    return path


def runs(store, level: str) -> list:
    return search_runs(store.client, store.experiment_id, f"tags.level = '{level}'")


def nothing_is_half_done(store) -> None:
    assert search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'") == []
    for name in ("churn", "churn-logreg", "churn-tree"):
        for alias, version in store.client.get_registered_model(name).aliases.items():
            assert store.client.get_model_version(name, version).tags["stage"] == alias


def test_the_loop_promotes_a_better_model_and_says_why(store, call, tmp_path, capsys):
    before = production_version(store.client)
    store.client.log_metric(before.run_id, "missed_cost", 20)  # as if it had been trained for that
    batch = written(tmp_path / "older.csv", covariate=0.8)
    assert call(batch, "--models", "tree") == DONE
    said = capsys.readouterr().out
    live = production_version(store.client)
    assert live.tags["source_name"] == "churn-tree"
    assert store.client.get_run(live.run_id).data.metrics["missed_cost"] == 20
    assert f"tree, passed every gate: version {live.version} replaces {before.version}" in said
    assert "held-out customers new to both" in said
    assert live.tags["stage_reason"].startswith("retrained on older.csv: Age: PSI")

    (run,) = runs(store, "retrain")
    (look,) = runs(store, "monitoring")
    tags = run.data.tags
    assert (tags["outcome"], tags["decision"], run.info.status) == ("promoted", "retrain", "FINISHED")
    assert (tags["live_version"], tags["live_after"]) == (str(before.version), str(live.version))
    assert tags["monitoring_run"] == look.info.run_id
    trained = search_runs(store.client, store.experiment_id, f"tags.series = '{tags['series']}'")
    assert {r.data.tags["level"] for r in trained} >= {"model", "promotion"}
    assert run.data.metrics["rows/added"] == 2000
    (report,) = (tmp_path / "out").glob("older-*.md")
    assert report.read_text() in said
    assert "report.md" in {file.path for file in store.client.list_artifacts(run.info.run_id)}
    nothing_is_half_done(store)

    # The live model's table is there for the next look, and holds old and new customers.
    table = tmp_path / "out" / f"customers-{live.tags['data_sha256'][:12]}.csv"
    assert sha256(table) == live.tags["data_sha256"]
    assert len(load(table)) == len(load()) + 2000

    # Again: nothing to do. Neither where the record got lost when the process was killed.
    made = len(runs(store, "model"))
    assert call(batch, "--models", "tree") == DONE
    assert "looked at before" in capsys.readouterr().out
    store.client.delete_run(run.info.run_id)
    assert call(batch, "--models", "tree") == DONE
    assert len(runs(store, "model")) == made
    assert production_version(store.client).version == live.version


def test_a_candidate_that_is_no_better_is_refused_and_the_live_one_stays(store, call, tmp_path, capsys):
    promote(store.client, "churn-forest", 1, "the best")
    before = production_version(store.client).version
    batch = written(tmp_path / "others.csv", concept=0.8)
    assert call(batch, "--models", "logreg") == DONE
    said = capsys.readouterr().out
    assert "The best challenger, logreg, was rejected: not below production (" in said
    assert production_version(store.client).version == before
    (run,) = runs(store, "retrain")
    assert (run.data.tags["outcome"], run.data.tags["live_after"]) == ("kept", str(before))
    nothing_is_half_done(store)


def test_customers_as_before_change_nothing_and_train_nothing(store, call, capsys):
    made, live = len(runs(store, "model")), production_version(store.client).version
    assert call(NEW_CUSTOMERS) == DONE
    said = capsys.readouterr().out
    assert "The decision is keep: nothing was trained." in said
    assert call(NEW_CUSTOMERS) == DONE
    assert (
        capsys.readouterr().out
        == f"new_customers.csv: looked at before, with version {live} live: the live model stays\n"
    )
    assert len(runs(store, "model")) == made
    assert len(runs(store, "retrain")) == len(runs(store, "monitoring")) == 1
    # Asked for by name it is looked at again when another model is live.
    promote(store.client, "churn-forest", 1, "another")
    assert call(NEW_CUSTOMERS) == DONE
    assert len(runs(store, "monitoring")) == 2


def test_drift_without_outcomes_stays_an_alarm_until_another_model_is_live(store, call, tmp_path, capsys):
    batch = written(tmp_path / "batches.csv", outcomes=False, covariate=0.8)
    assert call(batch) == LABELS_MISSING
    said = capsys.readouterr().out
    assert "drift found, but too few outcomes" in said
    assert "Of 2000 new customers 0 have an outcome" in said
    assert call(tmp_path) == LABELS_MISSING  # the same file, in a folder
    assert len(runs(store, "monitoring")) == 1
    promote(store.client, "churn-forest", 1, "another")
    assert call(tmp_path) == DONE
    assert len(runs(store, "monitoring")) == 1


def test_a_few_outcomes_are_not_learned_from(store, call, tmp_path, capsys):
    batch = written(tmp_path / "new.csv", covariate=0.8)
    table = pd.read_csv(batch)
    table.loc[table[TARGET].eq(1).cumsum() > 29, TARGET] = None
    table.to_csv(batch, index=False)
    made = len(runs(store, "model"))
    assert call(batch) == LABELS_MISSING
    assert "29 of them left; to learn from, at least 200 are needed and 30 of each" in capsys.readouterr().out
    assert len(runs(store, "model")) == made


def test_a_batch_that_breaks_the_program_does_not_stop_those_behind_it(
    store, call, tmp_path, capsys, monkeypatch
):
    for age, name in enumerate(["second.csv", "first.csv"]):
        os.utime(written(tmp_path / name, 300, 60 + age), (1000 - age, 1000 - age))
    whole = retrain_loop.run_monitoring

    def broken(store, batch, *rest):
        if batch.name == "first.csv":
            raise ZeroDivisionError("a fault of ours")
        return whole(store, batch, *rest)

    monkeypatch.setattr(retrain_loop, "look", broken)
    assert call(tmp_path) == FAILED
    assert "first.csv failed\nTraceback" in capsys.readouterr().err
    assert [run.info.status for run in runs(store, "retrain")] == ["FINISHED", "FAILED"]


def test_a_store_that_goes_away_is_said(store, call, monkeypatch, capsys):
    def gone(*_):
        raise MlflowException("server gone")

    monkeypatch.setattr(retrain_loop, "production", gone)
    monkeypatch.setattr(retrain_loop, "terminate_stale_runs", gone)
    assert call(NEW_CUSTOMERS) == FAILED
    assert capsys.readouterr().err == "failed\n\nserver gone\n"


def test_a_folder_means_every_table_in_it_oldest_first(store, call, tmp_path, capsys):
    folder = tmp_path / "batches"
    folder.mkdir()
    assert call(folder) == DONE
    assert "nothing to do" in capsys.readouterr().out
    for age, name in enumerate(["c.csv", "a.csv", "b.csv", ".half.csv", "note.txt"]):
        path = folder / name
        path.write_text("CustomerId,Age\n1,40\n") if name == "a.csv" else written(path, 300, 60 + age)
        os.utime(path, (1000 - age, 1000 - age))
    paths, is_folder = retrain_loop.list_batches(str(folder))
    assert ([path.name for path in paths], is_folder) == (["b.csv", "a.csv", "c.csv"], True)
    assert call(folder) == FAILED  # a.csv; the others were looked at all the same
    said = capsys.readouterr()
    assert "a.csv cannot be used" in said.err
    names = [run.data.tags["batch"] for run in reversed(runs(store, "retrain"))]
    assert names == ["b.csv", "a.csv", "c.csv"]
    statuses = [run.info.status for run in reversed(runs(store, "retrain"))]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]


def test_two_retrainings_do_not_run_at_once(store, call, capsys):
    other = store.client.create_run(store.experiment_id, tags={"level": "retrain", OWNER: owner()})
    assert call(NEW_CUSTOMERS) == BUSY
    assert other.info.run_id in capsys.readouterr().out
    assert runs(store, "monitoring") == []
    # One whose process is gone does not stand in the way.
    dead = owner().replace(f":{os.getpid()}:", ":999999999:")
    store.client.set_tag(other.info.run_id, OWNER, dead)
    assert call(NEW_CUSTOMERS) == DONE
    assert store.client.get_run(other.info.run_id).info.status == "KILLED"


def test_what_cannot_be_done_is_said(store, call, tmp_path, capsys):
    assert call(tmp_path / "none.csv") == FAILED
    assert "no file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as raised:
        call(NEW_CUSTOMERS, "--models", "svm")
    assert raised.value.code == 2
    for batch, option, said in (
        ("", "--every=1", "--batch is empty"),
        ("x", "--every=-5", "--every must be"),
    ):
        with pytest.raises(SystemExit):
            call(batch, option)
        assert said in capsys.readouterr().err
    nameless = tmp_path / "nameless.csv"
    pd.read_csv(written(nameless, covariate=0.8)).drop(columns="CustomerId").to_csv(nameless, index=False)
    assert call(nameless) == FAILED
    assert "CustomerId: the column is missing" in capsys.readouterr().err
    nothing_is_half_done(store)


def test_nothing_live_is_a_clear_error(call, capsys):
    with stores.in_use(stores.empty()):
        assert call(NEW_CUSTOMERS) == FAILED
    assert "nothing is in production" in capsys.readouterr().err


@pytest.mark.stack
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_retraining_goes_on_where_it_was(store, call, tmp_path, how):
    batch = written(tmp_path / "older.csv", covariate=0.8)
    command = [
        sys.executable,
        "-u",
        "-m",
        "helpers.workflows.retrain_loop",
        "--batch",
        batch,
        "--out",
        tmp_path / "out",
    ]
    command += ["--models", "tree,knn"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = ""
    while "03_train-knn" not in said:
        said += process.stdout.read(1)
    time.sleep(5)  # into the search
    process.send_signal(how)
    process.communicate(timeout=60)
    if how == signal.SIGTERM:
        assert process.returncode == INTERRUPTED
        nothing_is_half_done(store)
    assert len(list_versions(store.client, "churn-tree")) == 2

    assert call(batch, "--models", "tree,knn") == DONE
    nothing_is_half_done(store)
    assert len(list_versions(store.client, "churn-tree")) == 2  # not trained again
    assert len(list_versions(store.client, "churn-knn")) == 2
    assert production_version(store.client).tags["source_name"] == "churn-tree"


@pytest.mark.stack
def test_the_loop_on_a_server_with_postgresql(tmp_path, call, monkeypatch):
    from helpers.workflows.notebooks import NotebookStep, run_notebooks

    with (
        postgres(tmp_path) as database,
        mlflow_server(tmp_path, database.url, str(tmp_path / "artifacts")) as server,
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
        store = connect()
        first = [
            NotebookStep("03_train", "03_train-logreg", {"model": "logreg"}),
            NotebookStep("04_registry", "04_registry"),
        ]
        run_notebooks(first, tmp_path / "first", store)
        assert call(NEW_CUSTOMERS) == DONE
        batch = written(tmp_path / "older.csv", covariate=0.8)
        assert call(batch, "--models", "tree") == DONE
        live = production_version(store.client)
        assert (live.version, live.tags["source_name"]) == ("2", "churn-tree")
        outcomes = [found.data.tags["outcome"] for found in runs(store, "retrain")]
        assert outcomes == ["promoted", "kept"]
        nothing_is_half_done(store)
