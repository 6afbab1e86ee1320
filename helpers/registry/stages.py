"""Move model versions between stages: register, promote, archive, roll back.

A stage is both an alias (``staging``, ``production``: where a name points now) and a tag ``stage`` on every
version (``staging``, ``production``, ``archived``: what it is or was). Every call is idempotent, completes
what an interrupted call left undone, and moves ``production`` only to a version whose model loads.
"""

import getpass
import os
from datetime import UTC, datetime

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from helpers.config import ARCHIVED, PRODUCTION, PRODUCTION_MODEL, STAGING, registered_name
from helpers.errors import RegistryError
from helpers.files import sha256
from helpers.registry.versions import (
    DIGEST_TAG,
    get_version,
    list_versions,
    load_version,
    production_version,
)


def register(
    client: MlflowClient, algorithm: str, model_uri: str, run_id: str, tags: dict[str, str] | None = None
) -> ModelVersion:
    """Register a logged model as the next version of ``churn-<algorithm>`` and put it in staging.

    The version that was in staging is archived. Safe when several trainings register concurrently: the newest
    version ends up in staging.

    Parameters
    ----------
    client : MlflowClient
    algorithm : str
    model_uri : str
        ``models:/<model id>``, as `tracking.log_model` returns it.
    run_id : str
        The finished model run.
    tags : dict, optional
        Further tags of the version.
    """
    name = registered_name(algorithm)
    _ensure_name(client, name, f"Bank churn: every training of {algorithm}.")
    model_id = model_uri.removeprefix("models:/")
    location = client.get_logged_model(model_id).artifact_location
    digest = sha256(mlflow.artifacts.download_artifacts(f"{location}/model.skops"))
    # The stage is set in the call that creates the version: no version is ever without one, and two trainings
    # that reconcile the same name concurrently only update tags that exist.
    version = client.create_model_version(
        name,
        source=model_uri,
        run_id=run_id,
        model_id=model_id,
        tags={
            **(tags or {}),
            **_stage_tags(STAGING, "trained"),
            "algorithm": algorithm,
            DIGEST_TAG: digest,
        },
    )
    reconcile(client, name)
    return client.get_model_version(name, version.version)


def promote(client: MlflowClient, name: str, version: str | int, reason: str) -> ModelVersion:
    """Copy a version to the name that serving uses and point ``production`` at the copy.

    If the version is in production already, it is returned and nothing changes. If it was in production
    before, ``production`` points at its copy again; no second copy is made.

    Parameters
    ----------
    client : MlflowClient
    name : str
        Registered model to promote from, e.g. ``churn-forest``.
    version : str or int
    reason : str
        Recorded on the version.

    Raises
    ------
    RegistryError
        If the version does not exist or its model does not load; nothing is changed then.
    """
    challenger = get_version(client, name, version)
    origin = {"source_name": name, "source_version": str(challenger.version)}
    copy = next(
        (v for v in list_versions(client, PRODUCTION_MODEL) if origin.items() <= v.tags.items()), None
    )
    if copy is None:
        load_version(client, name, version)
        copy = _copy(client, challenger, origin)
    return _point_production_at(client, copy, reason)


def roll_back(client: MlflowClient, reason: str) -> ModelVersion:
    """Point ``production`` at the previous production version again, and archive the current one.

    Raises
    ------
    RegistryError
        If nothing is in production, or nothing was before.
    """
    current = production_version(client)
    if current is None:
        raise RegistryError(f"nothing to roll back: {PRODUCTION_MODEL!r} has no {PRODUCTION} version yet")
    number = current.tags.get("previous_version")
    if not number:
        raise RegistryError(f"nothing to roll back to: version {current.version} was the first in production")
    previous = get_version(client, PRODUCTION_MODEL, number)
    return _point_production_at(client, previous, reason, previous.tags.get("previous_version", ""))


def archive(client: MlflowClient, name: str, version: str | int, reason: str) -> ModelVersion:
    """Take a version out of staging or production and tag it ``archived``; nothing is deleted."""
    target = get_version(client, name, version)
    for alias, number in client.get_registered_model(name).aliases.items():
        if str(number) == str(target.version) and alias in (STAGING, PRODUCTION):
            client.delete_registered_model_alias(name, alias)
    if target.tags.get("stage") != ARCHIVED:
        _set_stage(client, target, ARCHIVED, reason)
    return client.get_model_version(name, target.version)


def reconcile(client: MlflowClient, name: str) -> None:
    """Complete what an interrupted call left undone, so that aliases and stage tags agree.

    For the production model, the alias is authoritative: the version that it points at is tagged
    ``production``, and any other version with that tag is archived. For an algorithm's model, the newest
    version tagged ``staging`` gets the alias, and older ones are archived. Concurrent calls converge: each
    re-reads after moving the alias.
    """
    is_production = name == PRODUCTION_MODEL
    for version in _reconcile_production(client) if is_production else _reconcile_staging(client, name):
        _set_stage(client, version, ARCHIVED, f"replaced in {version.tags['stage']}")


def _reconcile_production(client: MlflowClient) -> list[ModelVersion]:
    """Tag the version in production as such; return the others that have the tag."""
    current = production_version(client)
    if current and current.tags.get("stage") != PRODUCTION:
        _set_stage(client, current, PRODUCTION, "alias points here")
    tagged = _versions_in_stage(client, PRODUCTION_MODEL, PRODUCTION)
    return [version for version in tagged if not current or version.version != current.version]


def _reconcile_staging(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Point ``staging`` at the newest version with that tag; return the older ones."""
    newest = None
    # A concurrent call may have pointed the alias at a newer version, and this call moved it back.
    while (tagged := _versions_in_stage(client, name, STAGING)) and tagged[-1].version != newest:
        newest = tagged[-1].version
        client.set_registered_model_alias(name, STAGING, newest)
    return tagged[:-1]


def _versions_in_stage(client: MlflowClient, name: str, stage: str) -> list[ModelVersion]:
    return [version for version in list_versions(client, name) if version.tags.get("stage") == stage]


def _ensure_name(client: MlflowClient, name: str, description: str) -> None:
    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _copy(client: MlflowClient, challenger: ModelVersion, origin: dict[str, str]) -> ModelVersion:
    """Do what ``copy_model_version`` does, with the tags in the same call.

    The copy counts as archived until the alias moves: an interruption leaves nothing half promoted.
    """
    _ensure_name(client, PRODUCTION_MODEL, "Bank churn: what serving uses, under the alias production.")
    return client.create_model_version(
        PRODUCTION_MODEL,
        source=f"models:/{challenger.name}/{challenger.version}",
        run_id=challenger.run_id,
        model_id=challenger.model_id,
        tags={**challenger.tags, **origin, **_stage_tags(ARCHIVED, "copied")},
    )


def _point_production_at(
    client: MlflowClient, target: ModelVersion, reason: str, previous: str | None = None
) -> ModelVersion:
    """Move the alias, unless it is there; ``previous`` is where a rollback goes (default: the current)."""
    current = production_version(client)
    if current is None or current.version != target.version:
        load_version(client, target.name, target.version)
        if previous is None:
            previous = str(current.version) if current else ""
        client.set_model_version_tag(target.name, target.version, "previous_version", previous)
        _set_stage(client, target, PRODUCTION, reason)
        client.set_registered_model_alias(target.name, PRODUCTION, target.version)
    reconcile(client, target.name)
    return client.get_model_version(target.name, target.version)


def _set_stage(client: MlflowClient, version: ModelVersion, stage: str, reason: str) -> None:
    for key, value in _stage_tags(stage, reason).items():
        client.set_model_version_tag(version.name, version.version, key, value)


def _stage_tags(stage: str, reason: str) -> dict[str, str]:
    """Return the tags of a stage: what it is, who set it, when and why."""
    return {
        "stage_by": _user(),
        "stage_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "stage_reason": reason,
        "stage": stage,
    }


def _user() -> str:
    try:
        return os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return str(os.getuid())
