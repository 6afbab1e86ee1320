from concurrent.futures import ThreadPoolExecutor

import mlflow
import numpy as np
import pytest

from helpers.errors import RegistryError
from helpers.registry.production_stage import promote, roll_back
from helpers.registry.stages import archive, reconcile
from helpers.registry.versions import list_versions, production_version, staging_version
from tests.registry.test_versions import weights_file
from tests.support.bank import PRODUCTION_MODEL, registered_name


def stages(client, name: str) -> list[str]:
    return [version.tags["stage"] for version in list_versions(client, name)]


def test_a_new_version_takes_over_staging_and_the_previous_one_is_archived(store, add_version):
    assert [int(add_version("tree").version) for _ in range(3)] == [1, 2, 3]
    assert stages(store.client, "churn-tree") == ["archived", "archived", "staging"]
    assert {k: int(v) for k, v in store.client.get_registered_model("churn-tree").aliases.items()} == {
        "staging": 3
    }
    assert staging_version(store.client, "tree").tags["data_sha256"] == "abc"


def test_promotion_copies_the_version_and_the_alias_answers(store, add_version, fitted, sample):
    version = add_version("tree")
    assert production_version(store.client) is None
    production = promote(store.client, version.name, version.version, "first")
    assert (production.name, str(production.version)) == (PRODUCTION_MODEL, "1")
    assert production.tags["stage"] == "production"
    assert production.tags["stage_reason"] == "first"
    assert production.tags["previous_version"] == ""
    assert production.tags["stage_by"]
    assert production.tags["stage_at"]
    scores = mlflow.pyfunc.load_model("models:/churn@production").predict(sample.X_test)
    np.testing.assert_array_equal(scores, fitted["tree"].predict_proba(sample.X_test))
    # The challenger stays in staging until the next training replaces it there.
    assert staging_version(store.client, "tree").version == version.version


def test_promoting_twice_changes_nothing(store, add_version):
    version = add_version("tree")
    first = promote(store.client, version.name, version.version, "first")
    second = promote(store.client, version.name, version.version, "again")
    assert first.version == second.version
    assert second.tags["stage_reason"] == "first"
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 1


def test_rollback_restores_version_after_version(store, add_version):
    for name in ("tree", "knn", "logreg"):
        version = add_version(name)
        promote(store.client, version.name, version.version, name)
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "archived", "production"]
    assert roll_back(store.client, "worse").tags["source_name"] == "churn-knn"
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "production", "archived"]
    assert roll_back(store.client, "worse still").tags["source_name"] == "churn-tree"
    with pytest.raises(RegistryError, match="first in production"):
        roll_back(store.client, "too far")
    assert str(production_version(store.client).version) == "1"


def test_promoting_again_after_a_rollback_reuses_the_copy(store, add_version):
    for name in ("tree", "knn"):
        version = add_version(name)
        promote(store.client, version.name, version.version, name)
    roll_back(store.client, "mistake")
    production = promote(store.client, version.name, version.version, "it was right")
    assert (str(production.version), production.tags["previous_version"]) == ("2", "1")
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 2


def test_archive_takes_a_version_out_of_staging(store, add_version):
    version = add_version("tree")
    assert archive(store.client, version.name, version.version, "unfair").tags["stage"] == "archived"
    assert staging_version(store.client, "tree") is None
    again = archive(store.client, version.name, version.version, "a second time changes nothing")
    assert again.tags["stage_reason"] == "unfair"
    assert staging_version(store.client, "tree") is None


def test_unknown_versions_and_an_empty_registry_are_clear_errors(store, add_version):
    with pytest.raises(RegistryError, match="has no production version in"):
        roll_back(store.client, "nothing there")
    add_version("tree")
    with pytest.raises(
        RegistryError,
        match=r"churn-tree has no version 7 in sqlite:///.*\.db \(existing.*: 1\)",
    ):
        promote(store.client, "churn-tree", 7, "typo")
    assert production_version(store.client) is None


def test_changed_or_missing_weights_never_reach_production(store, add_version):
    good, bad = add_version("tree"), add_version("knn")
    promote(store.client, good.name, good.version, "good")
    weights = weights_file(store.client, bad)
    weights.write_bytes(weights.read_bytes() + b"tampered")
    with pytest.raises(RegistryError, match="changed: model"):
        promote(store.client, bad.name, bad.version, "bad")
    weights.unlink()
    with pytest.raises(RegistryError, match="missing: model"):
        promote(store.client, bad.name, bad.version, "gone")
    assert production_version(store.client).tags["source_name"] == "churn-tree"
    assert len(list_versions(store.client, PRODUCTION_MODEL)) == 1


def test_reconcile_completes_interrupted_calls(store, add_version):
    first, second = add_version("tree"), add_version("tree")
    name = registered_name("tree")
    # As if killed after the version was created and before the alias moved.
    store.client.set_model_version_tag(name, first.version, "stage", "staging")
    store.client.set_registered_model_alias(name, "staging", first.version)
    reconcile(store.client, name)
    assert stages(store.client, name) == ["archived", "staging"]
    assert staging_version(store.client, "tree").version == second.version
    # As if killed in the middle of a promotion: copied and tagged, the alias not moved.
    production = promote(store.client, name, first.version, "first")
    copy = store.client.copy_model_version(f"models:/{name}/{second.version}", PRODUCTION_MODEL)
    store.client.set_model_version_tag(PRODUCTION_MODEL, copy.version, "stage", "production")
    reconcile(store.client, PRODUCTION_MODEL)
    assert production_version(store.client).version == production.version
    assert stages(store.client, PRODUCTION_MODEL) == ["production", "archived"]


def test_a_slower_registration_does_not_take_staging_from_a_newer_version(store, add_version, monkeypatch):
    add_version("tree")
    move_alias = store.client.set_registered_model_alias

    def overtaken(*args):
        monkeypatch.undo()
        add_version("tree")
        move_alias(*args)

    monkeypatch.setattr(store.client, "set_registered_model_alias", overtaken)
    add_version("tree")  # version 2, about to get the alias when version 3 has it already
    assert stages(store.client, "churn-tree") == ["archived", "archived", "staging"]
    assert str(staging_version(store.client, "tree").version) == "3"


def test_the_alias_decides_which_version_is_in_production(store, add_version):
    for name in ("tree", "knn"):
        version = add_version(name)
        promote(store.client, version.name, version.version, name)
    # As if two concurrent promotions had archived each other's version.
    for version in list_versions(store.client, PRODUCTION_MODEL):
        store.client.set_model_version_tag(PRODUCTION_MODEL, version.version, "stage", "archived")
    reconcile(store.client, PRODUCTION_MODEL)
    assert stages(store.client, PRODUCTION_MODEL) == ["archived", "production"]


def test_concurrent_registrations_leave_the_newest_version_in_staging(store, add_version):
    add_version("tree")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_version, ["tree"] * 4))
    assert stages(store.client, "churn-tree") == ["archived"] * 4 + ["staging"]
    assert str(staging_version(store.client, "tree").version) == "5"
