"""Look up registered model versions by name, number or alias, and load their models."""

import tempfile

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline

from helpers.config import PRODUCTION, PRODUCTION_MODEL, STAGING, registered_name
from helpers.errors import RegistryError
from helpers.files import sha256

DIGEST_TAG = "model_sha256"


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
        raise RegistryError(f"{name} has no version {version} (existing versions: {existing})") from error


def production_version(client: MlflowClient) -> ModelVersion | None:
    """Return the version in production, or None before the first promotion."""
    return _version_by_alias(client, PRODUCTION_MODEL, PRODUCTION)


def staging_version(client: MlflowClient, algorithm: str) -> ModelVersion | None:
    """Return the algorithm's version in staging, or None."""
    return _version_by_alias(client, registered_name(algorithm), STAGING)


def load_version(client: MlflowClient, name: str, version: str | int) -> Pipeline:
    """Load a version's pipeline after checking its weights against the digest taken at registration.

    Raises
    ------
    RegistryError
        If the version does not exist, its files are missing or differ from the registered ones, or a package
        that it needs is not installed.
    """
    chosen = get_version(client, name, version)
    # MLflow would keep each download for the life of the process; a temporary folder does not.
    with tempfile.TemporaryDirectory() as scratch:
        try:
            uri = f"models:/{name}/{chosen.version}"
            folder = mlflow.artifacts.download_artifacts(uri, dst_path=scratch)
            digest = sha256(f"{folder}/model.skops")
        except (MlflowException, OSError) as error:
            raise RegistryError(f"{name} version {version} has no readable model: {error}") from error
        if digest != chosen.tags.get(DIGEST_TAG):
            raise RegistryError(
                f"{name} version {version} is not the model that was registered (its sha256 differs): "
                "do not use it; archive it and train again"
            )
        try:
            return mlflow.sklearn.load_model(folder)
        except ImportError as error:
            package = (error.name or str(error)).split(".")[0]
            raise RegistryError(
                f"{name} version {version} needs {package}, which is not installed: install the packages "
                "in its requirements.txt"
            ) from error


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
