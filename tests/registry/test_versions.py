from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import RegistryError
from helpers.registry.stages import archive
from helpers.registry.training_runs import training_run
from helpers.registry.versions import (
    get_version,
    input_example,
    list_versions,
    load_version,
    production_version,
    staging_version,
)


def weights_file(client, version) -> Path:
    location = client.get_logged_model(version.source.removeprefix("models:/")).artifact_location
    return Path(location.removeprefix("file://"), "model.skops")


def test_versions_are_listed_oldest_first_and_unknown_names_have_none(store, add_version):
    for _ in range(3):
        add_version("tree")
    assert [int(version.version) for version in list_versions(store.client, "churn-tree")] == [1, 2, 3]
    assert list_versions(store.client, "churn-knn") == []


def test_an_alias_that_points_nowhere_is_none(store, add_version):
    assert production_version(store.client) is None
    assert staging_version(store.client, "tree") is None
    version = add_version("tree")
    assert staging_version(store.client, "tree").version == version.version
    archive(store.client, version.name, version.version, "no longer needed")
    assert staging_version(store.client, "tree") is None


def test_an_unknown_version_is_an_error_that_lists_the_existing_ones(store, add_version):
    add_version("tree")
    with pytest.raises(
        RegistryError,
        match=r"churn-tree has no version 7 in sqlite:///.*\.db \(existing.*: 1\)",
    ):
        get_version(store.client, "churn-tree", 7)


def test_a_loaded_version_predicts_like_the_registered_model(store, add_version, fitted, sample):
    version = add_version("tree")
    model = load_version(store.client, version.name, version.version)
    np.testing.assert_array_equal(
        model.predict_proba(sample.X_test), fitted["tree"].predict_proba(sample.X_test)
    )


def test_changed_or_missing_weights_are_not_loaded(store, add_version):
    version = add_version("tree")
    weights = weights_file(store.client, version)
    weights.write_bytes(weights.read_bytes() + b"tampered")
    with pytest.raises(RegistryError, match=r"not the model that was registered \(changed: model.skops\)"):
        load_version(store.client, version.name, version.version)
    weights.unlink()
    with pytest.raises(RegistryError, match=r"missing: model\.skops"):
        load_version(store.client, version.name, version.version)


def test_the_input_example_is_read_from_checked_files(store, add_version, sample):
    version = add_version("tree")
    pd.testing.assert_frame_equal(
        input_example(store.client, version), sample.X_train.head(5).reset_index(drop=True), check_dtype=False
    )
    (weights_file(store.client, version).parent / "input_example.json").write_text("{}")
    with pytest.raises(RegistryError, match=r"changed: input_example\.json"):
        input_example(store.client, version)


def test_a_version_without_training_run_is_a_clear_error(store, add_version):
    version = add_version("tree")
    run = training_run(store.client, version.run_id, version.name, version.version)
    assert run.info.run_id == version.run_id
    with pytest.raises(RegistryError, match="churn-tree version 1 was registered without a training run"):
        training_run(store.client, "", version.name, version.version)
