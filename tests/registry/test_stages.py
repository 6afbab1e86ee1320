from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pytest

from helpers.config import PRODUCTION_MODEL, registered_name
from helpers.errors import RegistryError
from helpers.registry.stages import (
    archive,
    list_versions,
    production_version,
    promote,
    reconcile,
    register,
    roll_back,
    staging_version,
)
from helpers.tracking.artifacts import log_model


@pytest.fixture
def add(store, fitted, sample):
    """Return a function that logs and registers an algorithm's small model."""

    def add(name: str):
        run = store.client.create_run(store.experiment_id)
        uri = log_model(run.info.run_id, fitted[name], sample.X_train)
        store.client.set_terminated(run.info.run_id)
        return register(store.client, name, uri, run.info.run_id, {"data_sha256": "abc"})

    return add


def stages(client, name: str) -> list[str]:
    return [version.tags["stage"] for version in list_versions(client, name)]


def test_next_version_takes_over_staging_and_the_last_is_archived(store, add):
    assert [int(add("tree").version) for _ in range(3)] == [1, 2, 3]
    assert stages(store.client, "churn-tree") == ["archived", "archived", "staging"]
    assert {k: int(v) for k, v in store.client.get_registered_model("churn-tree").aliases.items()} == {
        "staging": 3
    }
    assert staging_version(store.client, "tree").tags["data_sha256"] == "abc"


def test_promotion_copies_and_the_alias_answers(store, add, fitted, sample):
    version = add("tree")
    assert production_version(store.client) is None
    live = promote(store.client, version.name, version.version, "first")
    assert (live.name, str(live.version), live.tags["stage"]) == (PRODUCTION_MODEL, "1", "production")
    assert live.tags["stage_reason"] == "first"
    assert live.tags["previous_version"] == ""
    assert live.tags["stage_by"]
    assert live.tags["stage_at"]
    answers = mlflow.pyfunc.load_model("models:/churn@production").predict(sample.X_test)
    np.testing.assert_array_equal(answers, fitted["tree"].predict_proba(sample.X_test))
    # The candidate stays in staging: the next training replaces it there.
    assert staging_version(store.client, "tree").version == version.version


def test_promoting_twice_changes_nothing(store, add):
    version = add("tree")
    first = promote(store.client, version.name, version.version, "first")
    second = promote(store.client, version.name, version.version, "again")
    assert first.version == second.version
    assert second.tags["stage_reason"] == "first"
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 1


def test_roll_back_restores_version_after_version(store, add):
    for name in ("tree", "knn", "logreg"):
        version = add(name)
        promote(store.client, version.name, version.version, name)
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "archived", "production"]
    assert roll_back(store.client, "worse").tags["source_name"] == "churn-knn"
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "production", "archived"]
    assert roll_back(store.client, "worse still").tags["source_name"] == "churn-tree"
    with pytest.raises(RegistryError, match="first that was live"):
        roll_back(store.client, "too far")
    assert str(production_version(store.client).version) == "1"


def test_promoting_again_after_a_roll_back_reuses_the_copy(store, add):
    for name in ("tree", "knn"):
        version = add(name)
        promote(store.client, version.name, version.version, name)
    roll_back(store.client, "mistake")
    live = promote(store.client, version.name, version.version, "it was right")
    assert (str(live.version), live.tags["previous_version"]) == ("2", "1")
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 2


def test_archive_takes_a_version_out_of_staging(store, add):
    version = add("tree")
    assert archive(store.client, version.name, version.version, "unfair").tags["stage"] == "archived"
    assert staging_version(store.client, "tree") is None
    archive(store.client, version.name, version.version, "twice is once")
    assert staging_version(store.client, "tree") is None


def test_errors_name_what_there_is(store, add):
    with pytest.raises(RegistryError, match="has no production version yet"):
        roll_back(store.client, "nothing there")
    add("tree")
    with pytest.raises(RegistryError, match=r"churn-tree has no version 7 \(it has: 1\)"):
        promote(store.client, "churn-tree", 7, "typo")
    assert production_version(store.client) is None


def weights_of(client, version) -> Path:
    stored = client.get_logged_model(version.source.removeprefix("models:/")).artifact_location
    return Path(stored.removeprefix("file://"), "model.skops")


def test_changed_or_lost_weights_never_go_live(store, add):
    good, bad = add("tree"), add("knn")
    promote(store.client, good.name, good.version, "good")
    weights = weights_of(store.client, bad)
    weights.write_bytes(weights.read_bytes() + b"tampered")
    with pytest.raises(RegistryError, match="sha256 differs"):
        promote(store.client, bad.name, bad.version, "bad")
    weights.unlink()
    with pytest.raises(RegistryError, match="no readable model"):
        promote(store.client, bad.name, bad.version, "gone")
    assert production_version(store.client).tags["source_name"] == "churn-tree"
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 1


def test_what_an_interruption_left_is_settled(store, add):
    first, second = add("tree"), add("tree")
    name = registered_name("tree")
    # As if killed after the version was made and before the alias moved.
    store.client.set_model_version_tag(name, first.version, "stage", "staging")
    store.client.set_registered_model_alias(name, "staging", first.version)
    reconcile(store.client, name)
    assert stages(store.client, name) == ["archived", "staging"]
    assert staging_version(store.client, "tree").version == second.version
    # As if killed in the middle of a promotion: copied and tagged, the alias not moved.
    live = promote(store.client, name, first.version, "live")
    copy = store.client.copy_model_version(f"models:/{name}/{second.version}", PRODUCTION_MODEL)
    store.client.set_model_version_tag(PRODUCTION_MODEL, copy.version, "stage", "production")
    reconcile(store.client, PRODUCTION_MODEL)
    assert production_version(store.client).version == live.version
    assert stages(store.client, PRODUCTION_MODEL) == ["production", "archived"]


def test_a_slower_registration_does_not_take_staging_from_a_newer_version(store, add, monkeypatch):
    add("tree")
    move = store.client.set_registered_model_alias

    def overtaken(*args):
        monkeypatch.undo()
        add("tree")
        move(*args)

    monkeypatch.setattr(store.client, "set_registered_model_alias", overtaken)
    add("tree")  # version 2, which is about to get the alias when version 3 has it already
    assert stages(store.client, "churn-tree") == ["archived", "archived", "staging"]
    assert str(staging_version(store.client, "tree").version) == "3"


def test_the_alias_decides_what_is_live(store, add):
    for name in ("tree", "knn"):
        version = add(name)
        promote(store.client, version.name, version.version, name)
    # As if two promotions at once had archived each other's version.
    for version in list_versions(store.client, PRODUCTION_MODEL):
        store.client.set_model_version_tag(PRODUCTION_MODEL, version.version, "stage", "archived")
    reconcile(store.client, PRODUCTION_MODEL)
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "production"]


def test_registering_at_once_leaves_the_newest_in_staging(store, add):
    add("tree")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, ["tree"] * 4))
    assert stages(store.client, "churn-tree") == ["archived"] * 4 + ["staging"]
    assert str(staging_version(store.client, "tree").version) == "5"
