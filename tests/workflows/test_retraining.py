"""Retraining on one batch, with real runs: promoted, rejected, not needed, or not possible."""

import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from helpers.config import ROOT
from helpers.data import load, make_customers, merge_batch, validate
from helpers.errors import ExitCode
from helpers.files import sha256
from helpers.registry import list_versions, production_version, promote
from helpers.tracking.stale_runs import OWNER, owner, search_runs
from helpers.workflows.retraining import too_few_to_compare
from tests.support.bank import NEW_CUSTOMERS, TARGET
from tests.workflows.batches import assert_consistent, runs, write_batch


@pytest.fixture
def store(production_store):
    return production_store


def test_models_that_the_gates_could_not_compare_are_not_trained():
    churners = make_customers(500, seed=3).query("Exited == 1").head(10)
    reference = validate(pd.concat([make_customers(30, seed=4).query("Exited == 0"), churners]))
    merged = merge_batch(reference, validate(make_customers(250, seed=50)).query("Exited == 0 or Age > 58"))
    text = too_few_to_compare(reference, merged.table)
    assert re.fullmatch(r"Of \d+ customers held out of .* model, [0-9] of them of the rarer class\. .*", text)
    large = validate(make_customers(2000, seed=4))
    assert too_few_to_compare(large, merge_batch(large, reference).table) == ""
    assert too_few_to_compare(large, large) == ""


def test_a_better_model_is_promoted_and_the_report_says_why(store, retrain, tmp_path, capsys):
    before = production_version(store.client)
    store.client.log_metric(before.run_id, "missed_cost", 20)  # as if it had been trained for that
    batch = write_batch(tmp_path / "older.csv", covariate=0.8)
    assert retrain(batch, "--models", "tree") == ExitCode.DONE
    output = capsys.readouterr().out
    after = production_version(store.client)
    assert after.tags["source_name"] == "churn-tree"
    assert store.client.get_run(after.run_id).data.metrics["missed_cost"] == 20
    assert f"tree, passed every gate: version {after.version} replaces {before.version}" in output
    assert "held-out customers new to both" in output
    assert after.tags["stage_reason"].startswith("retrained on older.csv: Age: PSI")

    (run,) = runs(store, "retrain")
    (monitoring_run,) = runs(store, "monitoring")
    tags = run.data.tags
    assert (tags["outcome"], tags["decision"], run.info.status) == ("promoted", "retrain", "FINISHED")
    versions = (tags["production_version"], tags["production_version_after"])
    assert versions == (str(before.version), str(after.version))
    assert tags["monitoring_run"] == monitoring_run.info.run_id
    trained = search_runs(store.client, store.experiment_id, f"tags.workflow = '{tags['workflow']}'")
    assert {r.data.tags["level"] for r in trained} >= {"model", "promotion"}
    assert run.data.metrics["rows/added"] == 2000
    (report,) = (tmp_path / "out").glob("older-*.md")
    assert report.read_text() in output
    assert "report.md" in {file.path for file in store.client.list_artifacts(run.info.run_id)}
    assert_consistent(store)

    # The table of old and new customers is there for the next batch.
    table = tmp_path / "out" / f"customers-{after.tags['data_sha256'][:12]}.csv"
    assert sha256(table) == after.tags["data_sha256"]
    assert len(load(table)) == len(load()) + 2000

    # Repeated, there is nothing to do; also if the process was killed before it recorded its outcome.
    n_models = len(runs(store, "model"))
    assert retrain(batch, "--models", "tree") == ExitCode.DONE
    assert "already processed" in capsys.readouterr().out
    store.client.delete_run(run.info.run_id)
    assert retrain(batch, "--models", "tree") == ExitCode.DONE
    assert "was already trained on this batch" in capsys.readouterr().out
    assert len(runs(store, "model")) == n_models
    assert production_version(store.client).version == after.version


def test_a_challenger_that_is_not_better_is_rejected(store, retrain, tmp_path, capsys):
    promote(store.client, "churn-forest", 1, "the best")
    before = production_version(store.client).version
    batch = write_batch(tmp_path / "others.csv", concept=0.8)
    assert retrain(batch, "--models", "logreg") == ExitCode.DONE
    assert "The best challenger, logreg, was rejected: not below production (" in capsys.readouterr().out
    assert production_version(store.client).version == before
    (run,) = runs(store, "retrain")
    assert (run.data.tags["outcome"], run.data.tags["production_version_after"]) == ("kept", str(before))
    assert_consistent(store)


def test_unchanged_customers_train_nothing(store, retrain, capsys):
    n_models, version = len(runs(store, "model")), production_version(store.client).version
    assert retrain(NEW_CUSTOMERS) == ExitCode.DONE
    assert "The decision is keep: nothing was trained." in capsys.readouterr().out
    assert retrain(NEW_CUSTOMERS) == ExitCode.DONE
    assert capsys.readouterr().out == (
        f"new_customers.csv: already processed (production version {version}): the production model is kept\n"
    )
    assert len(runs(store, "model")) == n_models
    assert len(runs(store, "retrain")) == len(runs(store, "monitoring")) == 1
    # A file given by name is processed again when another version is in production.
    promote(store.client, "churn-forest", 1, "another")
    assert retrain(NEW_CUSTOMERS) == ExitCode.DONE
    assert len(runs(store, "monitoring")) == 2


def test_too_few_outcomes_are_not_trained_on(store, retrain, tmp_path, capsys):
    batch = write_batch(tmp_path / "new.csv", covariate=0.8)
    table = pd.read_csv(batch)
    table.loc[table[TARGET].eq(1).cumsum() > 29, TARGET] = None
    table.to_csv(batch, index=False)
    n_models = len(runs(store, "model"))
    assert retrain(batch) == ExitCode.LABELS_MISSING
    assert "29 of them churned. Retraining needs at least 200, and 30 per class" in capsys.readouterr().out
    assert len(runs(store, "model")) == n_models


def test_concurrent_retrainings_exclude_each_other(store, retrain, capsys):
    other = store.client.create_run(store.experiment_id, tags={"level": "retrain", OWNER: owner()})
    assert retrain(NEW_CUSTOMERS) == ExitCode.BUSY
    error = capsys.readouterr().err
    assert error == f"Error: another retraining is in progress: run {other.info.run_id}. Nothing was done.\n"
    assert runs(store, "monitoring") == []
    # One whose process has exited is not in the way.
    dead = owner().replace(f":{os.getpid()}:", ":999999999:")
    store.client.set_tag(other.info.run_id, OWNER, dead)
    assert retrain(NEW_CUSTOMERS) == ExitCode.DONE
    assert store.client.get_run(other.info.run_id).info.status == "KILLED"


@pytest.mark.stack
def test_an_interrupted_retraining_resumes(store, retrain, tmp_path):
    batch = write_batch(tmp_path / "older.csv", covariate=0.8)
    command = [sys.executable, "-u", "-m", "helpers", "retrain", "--batch", batch, "--out", tmp_path / "out"]
    command += ["--models", "tree,knn"]
    for how in (signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        output = ""
        while "03_train-knn" not in output:
            output += process.stdout.read(1)
            assert process.poll() is None, process.stderr.read()
        time.sleep(5)  # into the search
        process.send_signal(how)
        process.communicate(timeout=60)
        if how == signal.SIGTERM:
            assert process.returncode == ExitCode.INTERRUPTED
            assert_consistent(store)
        assert len(list_versions(store.client, "churn-tree")) == 2  # the second time not trained again
        assert len(list_versions(store.client, "churn-knn")) == 1

    assert retrain(batch, "--models", "tree,knn") == ExitCode.DONE
    assert_consistent(store)
    assert len(list_versions(store.client, "churn-tree")) == 2
    assert len(list_versions(store.client, "churn-knn")) == 2
    assert production_version(store.client).tags["source_name"] == "churn-tree"
