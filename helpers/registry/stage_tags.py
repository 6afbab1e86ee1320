"""What a stage consists of: the tags of a version, the alias of a name, and how both are written."""

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from helpers.registry.versions import list_versions


def stage_tags(stage: str, reason: str) -> dict[str, str]:
    """Return the tags of a stage: what it is, who set it, when and why."""
    return {
        "stage_by": _user(),
        "stage_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "stage_reason": reason,
        "stage": stage,
    }


def set_stage(client: MlflowClient, version: ModelVersion, stage: str, reason: str) -> None:
    """Tag a version with a stage."""
    set_tags(client, version, stage_tags(stage, reason))


def set_tags(client: MlflowClient, version: ModelVersion, tags: dict[str, str]) -> None:
    """Tag a version, in the order given."""
    for key, value in tags.items():
        _again(client.set_model_version_tag, version.name, version.version, key, value)


def set_alias(client: MlflowClient, version: ModelVersion, alias: str) -> None:
    """Point an alias at a version."""
    _again(client.set_registered_model_alias, version.name, alias, version.version)


def versions_in_stage(client: MlflowClient, name: str, stage: str) -> list[ModelVersion]:
    """Return the versions that are tagged with a stage, oldest first."""
    return [version for version in list_versions(client, name) if version.tags.get("stage") == stage]


def ensure_name(client: MlflowClient, name: str, description: str) -> None:
    """Create a registered model unless it exists."""
    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _again(write: Callable, *args: str) -> None:
    """Write a row; MLflow refuses one of two calls that create the same one at the same moment."""
    try:
        write(*args)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":
            raise
        write(*args)  # it exists now, and is updated


def _user() -> str:
    try:
        return os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return str(os.getuid())
