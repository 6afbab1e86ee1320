"""Look up registered model versions by name, number or alias, and load their models."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pandas as pd
import skops.io
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import PyFuncModel
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from helpers.config import DECISION_THRESHOLD, PRODUCTION, STAGING
from helpers.errors import OtherTable, RegistryError
from helpers.registry.model_files import WEIGHTS, verified_copy
from helpers.registry.same_table import TABLE_TAG, require_same_table
from helpers.table import current_table
from helpers.tracking import allowed_types, store_address
from helpers.training import ABOVE_ALL_SCORES


def list_versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model, oldest first; none if the name does not exist."""
    versions: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(f"name='{name}'", max_results=200, page_token=token)
        versions += page
        if not (token := page.token):
            return sorted(versions, key=lambda version: int(version.version))


def get_version(client: MlflowClient, name: str, version: str | int) -> ModelVersion:
    """Return one version of a registered model.

    Raises
    ------
    RegistryError
        If it does not exist; the message lists the versions that do.
    """
    try:
        return client.get_model_version(name, str(version))
    except MlflowException as error:
        existing = ", ".join(str(v.version) for v in list_versions(client, name)) or "none"
        raise RegistryError(
            f"{name} has no version {version} in {store_address()} (existing versions: {existing})"
        ) from error


def production_version(client: MlflowClient) -> ModelVersion | None:
    """Return the version in production, or None before the first promotion."""
    return _version_by_alias(client, current_table().name, PRODUCTION)


def staging_version(client: MlflowClient, algorithm: str) -> ModelVersion | None:
    """Return the algorithm's version in staging, or None."""
    return _version_by_alias(client, current_table().registered_name(algorithm), STAGING)


def load_version(client: MlflowClient, name: str, version: str | int) -> Pipeline:
    """Load a version's pipeline, its files checked against the manifest taken at registration.

    Its weights are loaded by skops with the types that are allowed here; of ``MLmodel`` only the signature
    and the metadata are read.

    Raises
    ------
    OtherTable
        If it was trained for another table than the one in use.
    RegistryError
        If the version does not exist, its files are missing, changed or added to, or hold another type; or a
        package that it needs is not installed.
    SettingError
        If the user's algorithms cannot be loaded.
    """
    allowed = allowed_types()
    with _described_copy(client, get_version(client, name, version)) as (_, folder):
        try:
            return skops.io.load(folder / WEIGHTS, trusted=sorted(allowed))
        except UntrustedTypesFoundException as error:
            raise _not_allowed(name, version, _types_in(folder, name, version) - allowed) from error
        except ImportError as error:
            package = (error.name or str(error)).split(".")[0]
            raise RegistryError(
                f"{name} version {version} needs {package}, which is not installed: install the packages "
                "in its requirements.txt"
            ) from error
        except Exception as error:  # skops and each estimator have their own; another release, too
            raise _not_readable(name, version, error) from error


def _types_in(folder: Path, name: str, version: str | int) -> set[str]:
    """Return the types in a version's weights that skops does not trust by itself."""
    try:
        return set(skops.io.get_untrusted_types(file=folder / WEIGHTS))
    except Exception as error:  # whatever a file can hold that skops did not write
        raise _not_readable(name, version, error) from error


def _not_allowed(name: str, version: str | int, types: set[str]) -> RegistryError:
    return RegistryError(
        f"{name} version {version} has the type {', '.join(sorted(types))}, which is trusted only "
        "while algorithms that define or name it are in use: set CHURN_ALGORITHMS or --algorithms to "
        "their file"
    )


def _not_readable(name: str, version: str | int, error: Exception) -> RegistryError:
    return RegistryError(f"{name} version {version} has no readable model: {error}")


def signature_of_version(client: MlflowClient, version: ModelVersion) -> ModelSignature:
    """Return a version's signature, read from its checked files.

    Raises
    ------
    RegistryError
        See `load_version`; or if it has no signature.
    """
    with _described_copy(client, version) as (model, _):
        signature = model.signature
    if signature is None:
        raise RegistryError(
            f"{version.name} version {version.version} has no signature: train again with "
            "notebooks/03_train.ipynb"
        )
    return signature


def check_production_table(client: MlflowClient) -> None:
    """Check, before a training, that its models could replace the version in production at all.

    Raises
    ------
    OtherTable
        If that version was trained for another table than the one in use: the gates would reject them.
    """
    version = production_version(client)
    if version is None or version.tags.get(TABLE_TAG) == current_table().fingerprint:
        return
    try:
        signature_of_version(client, version)
    except OtherTable:
        raise
    except RegistryError:
        return  # unusable in another way, and training is the remedy


def input_example(client: MlflowClient, version: ModelVersion) -> pd.DataFrame:
    """Return the customers that were logged with a version as its input example, from its checked files.

    Raises
    ------
    RegistryError
        See `load_version`; or if it has none.
    """
    with _described_copy(client, version) as (model, folder):
        try:
            example = model.load_input_example(str(folder))
        except Exception as error:  # whatever YAML and JSON can hold
            raise _unreadable(version, error) from error
    if not isinstance(example, pd.DataFrame):
        raise RegistryError(f"{version.name} version {version.version} has no table as its input example")
    return example


@contextmanager
def _described_copy(client: MlflowClient, version: ModelVersion) -> Iterator[tuple[Model, Path]]:
    """Yield what MLmodel says, and the folder: of checked files, of a version for the table in use."""
    with verified_copy(client, version) as folder:
        try:
            model = Model.load(str(folder))
        except Exception as error:  # whatever YAML can hold
            raise _unreadable(version, error) from error
        require_same_table(version, model)
        yield model, folder


def _unreadable(version: ModelVersion, error: Exception) -> RegistryError:
    return RegistryError(f"{version.name} version {version.version} has no readable MLmodel file: {error}")


def decision_threshold(version: ModelVersion) -> float | None:
    """Return a version's decision threshold, a probability; None if its tag is missing or holds none."""
    try:
        threshold = float(version.tags[DECISION_THRESHOLD])
    except (KeyError, ValueError):
        return None
    return threshold if 0 <= threshold <= ABOVE_ALL_SCORES else None


def load_pyfunc(client: MlflowClient, name: str, version: str | int) -> PyFuncModel:
    """Load a version as any MLflow client does, but from a copy that was checked as in `load_version`."""
    allowed = allowed_types()
    with _described_copy(client, get_version(client, name, version)) as (_, folder):
        if types := _types_in(folder, name, version) - allowed:  # MLflow trusts the list beside it
            raise _not_allowed(name, version, types)
        return mlflow.pyfunc.load_model(str(folder))


def _version_by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        absent = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
        # A server with authentication answers 403 for a name that does not exist.
        hidden = error.error_code == "PERMISSION_DENIED" and not client.search_registered_models(
            f"name='{name}'"
        )
        if absent or hidden:
            return None
        raise
