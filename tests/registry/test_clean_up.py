"""After a clean-up and `mlflow gc`: what promotion and monitoring need is there, or is named."""

import time

import pytest
from click.testing import CliRunner
from mlflow.cli import gc

from helpers import tracking
from helpers.errors import RegistryError
from helpers.monitoring import baseline_metrics
from helpers.registry import (
    compare_challengers,
    decide,
    load_production_model,
    production_version,
    promote,
    run_gates,
    validation_scores,
)
from helpers.tracking import search_runs
from tests.registry.conftest import FOLD_SCORES


def collect_garbage(uri: str) -> None:
    result = CliRunner().invoke(gc, ["--backend-store-uri", uri, "--tracking-uri", uri])
    assert result.exit_code == 0, result.output


def levels(store) -> list[str]:
    runs = search_runs(store.client, store.experiment_id, "")
    return sorted(run.data.tags["level"] for run in runs)


@pytest.fixture
def two_trainings(store, add_version):
    """Return a version in production and a challenger, each of a finished training with combinations."""
    versions = [add_version("tree", threshold=0.5), add_version("knn", threshold=0.5)]
    for fold in search_runs(store.client, store.experiment_id, "tags.level = 'fold'"):
        tags = {"level": "combination", "mlflow.parentRunId": fold.info.run_id}
        store.client.create_run(store.experiment_id, tags=tags)
    for run in search_runs(store.client, store.experiment_id, ""):
        store.client.set_terminated(run.info.run_id)
    promote(store.client, versions[0].name, versions[0].version, "first")
    return versions


def test_promotion_and_monitoring_work_without_the_runs_of_a_search(store, two_trainings, sample):
    assert tracking.delete_search_runs(store, older_than_days=1) == 0
    time.sleep(0.01)
    assert tracking.delete_search_runs(store, older_than_days=0) == 20
    collect_garbage(tracking.tracking_uri())
    assert levels(store) == ["model", "model"]
    challenger = two_trainings[1]
    assert tuple(validation_scores(store.client, challenger)) == FOLD_SCORES
    assert len(compare_challengers(store, "abc")) == 2
    gates = run_gates(store.client, challenger, sample.X_train, sample.X_test, sample.y_test)
    decide(store.client, "promote", challenger, [gates[0]], "after the clean-up")
    assert production_version(store.client).tags["source_name"] == "churn-knn"
    assert baseline_metrics(store, load_production_model(store.client))["test_f1"] == 0.5


def test_an_earlier_training_keeps_its_fold_runs(store, add_version):
    version = add_version("tree", on_model_run=False)
    for run in search_runs(store.client, store.experiment_id, ""):
        store.client.set_terminated(run.info.run_id)
    assert tracking.delete_search_runs(store, older_than_days=0) == 0
    assert tuple(validation_scores(store.client, version)) == FOLD_SCORES


def test_a_training_in_progress_keeps_its_runs(store, add_version):
    add_version("tree")
    assert tracking.delete_search_runs(store, older_than_days=0) == 0


def test_a_removed_training_run_is_named(store, two_trainings):
    live, challenger = two_trainings
    for version in two_trainings:
        store.client.delete_run(version.run_id)
    collect_garbage(tracking.tracking_uri())
    gone = "training run of churn-knn version 1 .*mlflow gc.*03_train"
    with pytest.raises(RegistryError, match=gone):
        validation_scores(store.client, challenger)
    with pytest.raises(RegistryError, match=r"training run of churn-(tree|knn) version 1 .*mlflow gc"):
        compare_challengers(store, "abc")
    with pytest.raises(RegistryError, match=f"training run of churn version 1 .{live.run_id}.*mlflow gc"):
        baseline_metrics(store, load_production_model(store.client))
