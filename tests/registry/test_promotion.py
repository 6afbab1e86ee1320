import json

import mlflow
import pytest

from helpers.errors import RegistryError, SettingError
from helpers.registry.challengers import compare_challengers
from helpers.registry.gates import Gate
from helpers.registry.promotion import decide, log_promotion, read_promotion
from helpers.registry.versions import production_version, staging_version
from helpers.tracking import search_runs, store_address

PASSED = [Gate("first", True, "fine"), Gate("second", True, "fine, too")]
FAILED = [Gate("first", True, "fine"), Gate("second", False, "0.1 below 0.2")]


def test_a_challenger_that_passes_every_gate_is_promoted(store, add_version):
    decision = decide(store.client, "promote", add_version("tree"), PASSED, "best")
    assert production_version(store.client).tags["stage_reason"] == "best"
    assert (decision.production_version, decision.production_source) == (1, "churn-tree v1")
    assert decision.summary() == "promoted: tree is churn version 1"


@pytest.mark.parametrize("gates", [FAILED, []])
def test_a_failed_or_missing_gate_keeps_the_production_version(store, add_version, gates):
    decide(store.client, "promote", add_version("tree"), PASSED, "first")
    decision = decide(store.client, "promote", add_version("knn"), gates, "second")
    assert production_version(store.client).tags["source_name"] == "churn-tree"
    assert (decision.production_version, decision.passed) == (1, False)
    assert decision.summary().startswith("rejected: knn failed ")
    assert gates == [] or decision.failed_gates == "second (0.1 below 0.2)"


def test_rollback_archive_and_dry_run(store, add_version):
    for name in ("tree", "knn"):
        decide(store.client, "promote", add_version(name), PASSED, name)
    challenger = staging_version(store.client, "knn")
    dry_run = decide(store.client, "dry_run", challenger, FAILED, "")
    assert dry_run.summary() == "dry run: knn would be rejected: second (0.1 below 0.2)"
    assert dry_run.production_version == 2
    back = decide(store.client, "rollback", challenger, FAILED, "complaints")
    assert back.summary() == "rolled back: churn version 1 (churn-tree v1) is in production again"
    archived = decide(store.client, "archive", challenger, PASSED, "unfair")
    assert archived.summary() == "archived: knn is no longer in staging"
    assert staging_version(store.client, "knn") is None
    assert archived.production_version == 1


def test_unknown_actions_and_impossible_ones_are_errors(store, add_version):
    with pytest.raises(SettingError, match="unknown action 'look': choose from promote, rollback, archive"):
        decide(store.client, "look", add_version("tree"), PASSED, "")
    with pytest.raises(RegistryError, match=f"nothing to roll back: .* in {store_address()} yet"):
        decide(store.client, "rollback", add_version("tree"), PASSED, "")
    assert production_version(store.client) is None


@pytest.mark.parametrize(("action", "gates"), [("promote", PASSED), ("dry_run", FAILED)])
def test_a_logged_decision_reads_back_the_same(store, add_version, action, gates):
    decision = decide(store.client, action, add_version("tree"), gates, "test")
    run_id = log_promotion(store, decision, compare_challengers(store, "abc"))
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'promotion'")
    assert run.info.run_id == run_id and run.info.status == "FINISHED"
    assert read_promotion(run) == decision
    assert run.data.params["challenger"] == "tree"
    assert run.data.params["production_version"] == ("1" if action == "promote" else "none")
    assert json.loads(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gates.json"))[0]["name"] == "first"
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/challengers.csv").startswith("algorithm,name")
