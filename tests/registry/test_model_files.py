"""Tampering with a registered model's files: refused by name, and nothing of them runs."""

import pickle
from contextlib import suppress
from pathlib import Path

import mlflow
import pytest
import yaml

from helpers.errors import RegistryError, UnverifiedModel
from helpers.registry.gates import run_gates
from helpers.registry.model_files import MANIFEST_TAG, MLFLOWS_NOTE, verified_copy
from helpers.registry.production_stage import promote, roll_back
from helpers.registry.stages import archive
from helpers.registry.versions import (
    get_version,
    load_pyfunc,
    load_version,
    production_version,
    signature_of_version,
)
from helpers.serving.served_model import ServedModel
from tests.registry.test_versions import weights_file
from tests.support.bank import NEW_CUSTOMERS, PRODUCTION_MODEL
from tests.support.command import churn


class Evil:
    """Unpickling it creates a file."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def change_flavor(folder: Path, flavor: str, **changes) -> None:
    path = folder / "MLmodel"
    described = yaml.safe_load(path.read_text())
    described["flavors"][flavor].update(changes)
    path.write_text(yaml.safe_dump(described))


def point_to_pickle(folder: Path, marker: Path) -> None:
    (folder / "evil.pkl").write_bytes(pickle.dumps(Evil(marker)))
    change_flavor(folder, "sklearn", pickled_model="evil.pkl", serialization_format="pickle")


def point_to_loader(folder: Path, marker: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "evil_loader.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    change_flavor(folder, "python_function", loader_module="evil_loader", code="code")


def swap_weights(folder: Path, marker: Path) -> None:
    (folder / "model.skops").write_bytes((folder / "model.skops").read_bytes() + b"x")


def link_out(folder: Path, marker: Path) -> None:
    outside = marker.with_name("outside.skops")
    outside.write_bytes(b"of somebody else")
    (folder / "model.skops").unlink()
    (folder / "model.skops").symlink_to(outside)


def add_link(folder: Path, marker: Path) -> None:
    (folder / "parent").symlink_to(folder.parent)


def describe(text: str):
    return lambda folder, marker: (folder / "MLmodel").write_text(text)


ATTACKS = {
    "pickle": (point_to_pickle, "changed: MLmodel; added: evil.pkl"),
    "loader": (point_to_loader, "changed: MLmodel; added: code/evil_loader.py"),
}
CHANGES = ATTACKS | {
    "other weights": (swap_weights, "changed: model.skops"),
    "file added": (lambda folder, _: (folder / "notes.py").touch(), "added: notes.py"),
    "file removed": (lambda folder, _: (folder / "requirements.txt").unlink(), "missing: requirements.txt"),
    "no MLmodel": (lambda folder, _: (folder / "MLmodel").unlink(), "missing: MLmodel"),
    "empty MLmodel": (describe(""), "changed: MLmodel"),
    "garbage as MLmodel": (describe("\0{[:"), "changed: MLmodel"),
    "another flavor": (describe("flavors: {keras: {}}"), "changed: MLmodel"),
}


def folder_of(client, version) -> Path:
    return weights_file(client, version).parent


@pytest.mark.parametrize(
    ("attack", "load"),
    [(point_to_pickle, mlflow.sklearn.load_model), (point_to_loader, mlflow.pyfunc.load_model)],
)
def test_each_attack_runs_code_where_the_files_are_not_checked(store, add_version, tmp_path, attack, load):
    version = add_version("tree")
    attack(folder_of(store.client, version), tmp_path / "marker")
    with suppress(Exception):  # what the code leaves is no model
        load(f"models:/{version.name}/{version.version}").predict([])
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_changed_files_are_refused_by_name_and_nothing_runs(store, add_version, tmp_path, change, expected):
    version = add_version("tree")
    change(folder_of(store.client, version), tmp_path / "marker")
    message = f"churn-tree version 1 is not the model that was registered \\({expected}\\): do not use it"
    for use in (
        lambda: load_version(store.client, version.name, version.version),
        lambda: load_pyfunc(store.client, version.name, version.version),
        lambda: signature_of_version(store.client, version),
        lambda: promote(store.client, version.name, version.version, "test"),
    ):
        with pytest.raises(UnverifiedModel, match=message):
            use()
    assert production_version(store.client) is None
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(("attack", "expected"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_on_production_runs_nowhere(store, add_version, tmp_path, capsys, sample, attack, expected):
    version = add_version("tree", threshold=0.5)
    promote(store.client, version.name, version.version, "test")
    attack(folder_of(store.client, version), tmp_path / "marker")
    message = f"churn version 1 is not the model that was registered ({expected})"
    assert churn("score", "--out", tmp_path / "scores.csv") == 1
    assert message in capsys.readouterr().err
    assert churn("monitor", "--batch", NEW_CUSTOMERS) == 1
    assert message in capsys.readouterr().err
    with pytest.raises(UnverifiedModel):
        ServedModel().load_context(None)
    gates = run_gates(store.client, add_version("knn"), sample.X_train, sample.X_test, sample.y_test)
    assert message in gates[-1].detail and not gates[-1].passed
    assert not (tmp_path / "marker").exists() and not (tmp_path / "scores.csv").exists()


@pytest.mark.parametrize(("link", "named"), [(link_out, "model.skops"), (add_link, "parent")])
def test_a_link_out_of_the_folder_is_refused(store, add_version, tmp_path, link, named):
    version = add_version("tree")
    link(folder_of(store.client, version), tmp_path / "marker")
    with pytest.raises(RegistryError, match=f"(?s)churn-tree version 1 .*{named}"):
        load_version(store.client, version.name, version.version)


def test_a_checked_version_loads_as_mlflow_model(store, add_version, fitted, sample):
    version = promote(store.client, add_version("tree").name, 1, "test")
    model = load_pyfunc(store.client, PRODUCTION_MODEL, version.version)
    assert (model.predict(sample.X_test) == fitted["tree"].predict_proba(sample.X_test)).all()
    manifest = get_version(store.client, "churn-tree", 1).tags[MANIFEST_TAG]
    assert version.tags[MANIFEST_TAG] == manifest
    assert [line.split("  ")[1] for line in manifest.splitlines()] == sorted(
        path.relative_to(folder).as_posix()
        for folder in [folder_of(store.client, get_version(store.client, "churn-tree", 1))]
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_a_load_by_another_client_leaves_the_version_as_it_was(store, add_version):
    version = add_version("tree")
    mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    assert (folder_of(store.client, version) / MLFLOWS_NOTE).exists()
    load_version(store.client, version.name, version.version)
    with verified_copy(store.client, version) as folder:
        assert not (folder / MLFLOWS_NOTE).exists()


def test_a_version_without_manifest_gives_way_to_the_next(store, add_version, sample):
    """Versions registered by an earlier release, or tampered with, and nothing to roll back to."""
    old = promote(store.client, add_version("tree", threshold=0.5).name, 1, "first")
    store.client.delete_model_version_tag(PRODUCTION_MODEL, old.version, MANIFEST_TAG)
    challenger = add_version("forest", threshold=0.5)
    arguments = (sample.X_train, sample.X_test, sample.y_test)
    last = run_gates(store.client, challenger, *arguments)[-1]
    assert not last.passed
    assert "churn version 1 has no list of its files" in last.detail
    assert archive(store.client, PRODUCTION_MODEL, old.version, "unknown files").tags["stage"] == "archived"
    assert production_version(store.client) is None
    assert run_gates(store.client, challenger, *arguments)[-1].passed
    assert promote(store.client, challenger.name, challenger.version, "next").version != old.version


def test_production_is_rolled_back_from_changed_files(store, add_version, tmp_path):
    for name in ("tree", "knn"):
        promote(store.client, add_version(name).name, 1, name)
    point_to_pickle(folder_of(store.client, get_version(store.client, "churn-knn", 1)), tmp_path / "marker")
    assert roll_back(store.client, "changed files").tags["source_name"] == "churn-tree"
