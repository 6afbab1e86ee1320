"""The files of a registered model: a manifest taken at registration, checked before any of them is read.

Whoever can write to the artifact store could otherwise run code: an ``MLmodel`` file names loaders, folders
of Python modules and pickles, and MLflow follows it. The manifest is a tag of the version, in the database.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from helpers.errors import RegistryError, UnverifiedModel
from helpers.files import sha256

MANIFEST_TAG = "model_manifest"
WEIGHTS = "model.skops"
# MLflow writes it into a local artifact folder when a client loads `models:/<name>/<version>`.
MLFLOWS_NOTE = "registered_model_meta"
_REMEDY = "do not use it; roll back if it is in production, archive it, and train again"


def manifest_of(location: str) -> str:
    """Return the manifest of a model's folder in the artifact store.

    Returns
    -------
    str
        A line ``<sha256>  <path>`` per file, sorted by path: the format of ``sha256sum``.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return _manifest(_download(location, scratch))


@contextmanager
def verified_copy(client: MlflowClient, version: ModelVersion) -> Iterator[Path]:
    """Download a version's files and check each against the manifest; yields the local folder.

    Nothing of the folder is parsed, imported or unpickled before that. The copy is deleted at the end of the
    block.

    Raises
    ------
    UnverifiedModel
        If files are missing, changed or added (the message names them), or the version has no manifest.
    RegistryError
        If the files cannot be downloaded.
    """
    name = f"{version.name} version {version.version}"
    expected = version.tags.get(MANIFEST_TAG)
    if not expected:
        raise UnverifiedModel(f"{name} has no list of its files (tag {MANIFEST_TAG}): {_REMEDY}")
    # MLflow would keep each download for the life of the process; a temporary folder does not.
    with tempfile.TemporaryDirectory() as scratch:
        try:
            # Not `models:/`: MLflow adds files to such a download, and parses MLmodel.
            location = client.get_model_version_download_uri(version.name, str(version.version))
            folder = _download(location, scratch)
            found = _manifest(folder)
        except Exception as error:  # each kind of artifact store has its own
            reason = " ".join(str(error).split())  # MLflow lists the files on lines of their own
            raise RegistryError(f"{name} has no readable model: {reason}") from error
        if found != expected:
            changes = _difference(expected, found)
            raise UnverifiedModel(f"{name} is not the model that was registered ({changes}): {_REMEDY}")
        yield folder


def _download(location: str, scratch: str) -> Path:
    folder = Path(mlflow.artifacts.download_artifacts(location, dst_path=scratch))
    (folder / MLFLOWS_NOTE).unlink(missing_ok=True)
    return folder


def _manifest(folder: Path) -> str:
    files = sorted(
        (path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()
    )
    return "".join(f"{sha256(path)}  {name}\n" for name, path in files)


def _difference(expected: str, found: str) -> str:
    before, now = (
        {path: digest for digest, _, path in (line.partition("  ") for line in manifest.splitlines())}
        for manifest in (expected, found)
    )
    groups = {
        "changed": {path for path in before.keys() & now.keys() if before[path] != now[path]},
        "missing": before.keys() - now.keys(),
        "added": now.keys() - before.keys(),
    }
    return "; ".join(f"{what}: {', '.join(sorted(paths))}" for what, paths in groups.items() if paths)
