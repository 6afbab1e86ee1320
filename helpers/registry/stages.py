"""Model versions and their stages: register, promote, archive, roll back.

A stage is an alias (``staging``, ``production``: where a name points now) and a tag ``stage`` on every
version (``staging``, ``production``, ``archived``: what it is or was). Every call also settles what an
interrupted one left, moves ``production`` only to a version whose model loads, and repeated does nothing.
"""

import getpass
import os
import tempfile
from datetime import UTC, datetime

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline

from helpers.config import ARCHIVED, PRODUCTION, PRODUCTION_MODEL, STAGING, registered_name
from helpers.errors import RegistryError
from helpers.files import sha256

DIGEST_TAG = "model_sha256"


def register(
    client: MlflowClient, algorithm: str, model_uri: str, run_id: str, tags: dict[str, str] | None = None
) -> ModelVersion:
    """Register a logged model as the next version of ``churn-<algorithm>`` and put it in staging.

    The version that was in staging is archived. Safe when several trainings register at once: the newest
    version ends in staging.

    Parameters
    ----------
    client : MlflowClient
    algorithm : str
    model_uri : str
        ``models:/<model id>``, as `artifacts.log_model` returns it.
    run_id : str
        The finished model run.
    tags : dict, optional
        Further tags of the version.
    """
    name = registered_name(algorithm)
    _ensure_name(client, name, f"Bank churn: every training of {algorithm}.")
    model_id = model_uri.removeprefix("models:/")
    stored = client.get_logged_model(model_id).artifact_location
    weights = sha256(mlflow.artifacts.download_artifacts(f"{stored}/model.skops"))
    # The stage is given with the version in one call: no version is ever without one, and two trainings
    # that settle the same name at once only update tags that exist.
    created = client.create_model_version(
        name,
        source=model_uri,
        run_id=run_id,
        model_id=model_id,
        tags={
            **(tags or {}),
            **_stage_tags(STAGING, "trained"),
            "algorithm": algorithm,
            DIGEST_TAG: weights,
        },
    )
    reconcile(client, name)
    return client.get_model_version(name, created.version)


def promote(client: MlflowClient, name: str, version: str | int, reason: str) -> ModelVersion:
    """Copy a version to the name that serving uses and point ``production`` at the copy.

    Promoting what is live already returns the live version and changes nothing; promoting what was live
    once points back at its copy instead of making another.

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
    chosen = _version(client, name, version)
    origin = {"source_name": name, "source_version": str(chosen.version)}
    copy = next(
        (v for v in list_versions(client, PRODUCTION_MODEL) if origin.items() <= v.tags.items()), None
    )
    if copy is None:
        load_version(client, name, version)
        copy = _copy(client, chosen, origin)
    return _go_live(client, copy, reason)


def roll_back(client: MlflowClient, reason: str) -> ModelVersion:
    """Point ``production`` back at the version that was live before the live one, and archive that.

    Raises
    ------
    RegistryError
        If nothing is live, or nothing was live before it.
    """
    live = production_version(client)
    if live is None:
        raise RegistryError(f"nothing to roll back: {PRODUCTION_MODEL!r} has no {PRODUCTION} version yet")
    before = live.tags.get("previous_version")
    if not before:
        raise RegistryError(f"nothing to roll back to: version {live.version} is the first that was live")
    earlier = _version(client, PRODUCTION_MODEL, before)
    return _go_live(client, earlier, reason, previous=earlier.tags.get("previous_version", ""))


def archive(client: MlflowClient, name: str, version: str | int, reason: str) -> ModelVersion:
    """Take a version out of staging or production and tag it ``archived``; nothing is deleted."""
    chosen = _version(client, name, version)
    for alias, holder in client.get_registered_model(name).aliases.items():
        if str(holder) == str(chosen.version) and alias in (STAGING, PRODUCTION):
            client.delete_registered_model_alias(name, alias)
    if chosen.tags.get("stage") != ARCHIVED:
        _note(client, chosen, ARCHIVED, reason)
    return client.get_model_version(name, chosen.version)


def production_version(client: MlflowClient) -> ModelVersion | None:
    """Return the live version, or None while nothing was promoted."""
    return _holder(client, PRODUCTION_MODEL, PRODUCTION)


def staging_version(client: MlflowClient, algorithm: str) -> ModelVersion | None:
    """Return the algorithm's version in staging, or None."""
    return _holder(client, registered_name(algorithm), STAGING)


def list_versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model, oldest first; none if the name does not exist."""
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name='{name}'", max_results=200, page_token=token)
        found += page
        if not (token := page.token):
            return sorted(found, key=lambda version: int(version.version))


def load_version(client: MlflowClient, name: str, version: str | int) -> Pipeline:
    """Load a version's pipeline after checking its weights against the digest taken at registration.

    Raises
    ------
    RegistryError
        If the version does not exist, its files are missing, or they are not the registered ones.
    """
    chosen = _version(client, name, version)
    # A folder of our own: MLflow would keep each download for as long as the process runs.
    with tempfile.TemporaryDirectory() as own:
        try:
            uri = f"models:/{name}/{chosen.version}"
            folder = mlflow.artifacts.download_artifacts(uri, dst_path=own)
            weights = sha256(f"{folder}/model.skops")
        except (MlflowException, OSError) as error:
            raise RegistryError(f"{name} version {version} has no readable model: {error}") from error
        if weights != chosen.tags.get(DIGEST_TAG):
            raise RegistryError(
                f"{name} version {version} is not the model that was registered (its sha256 differs): "
                "don't use it, archive it and train again"
            )
        return mlflow.sklearn.load_model(folder)


def reconcile(client: MlflowClient, name: str) -> None:
    """Finish what an interrupted call left half-done, so that aliases and stage tags agree.

    Of the production model the alias decides: its holder is tagged ``production``, what else has that tag is
    archived. Of another model the newest version tagged ``staging`` gets that alias, and earlier ones are
    archived. Calls at the same time agree in the end: whoever moves an alias looks again.
    """
    if name == PRODUCTION_MODEL:
        live = production_version(client)
        if live and live.tags.get("stage") != PRODUCTION:
            _note(client, live, PRODUCTION, "is what the alias names")
        left = [v for v in _in_stage(client, name, PRODUCTION) if not live or v.version != live.version]
    else:
        newest = None
        # Another call may have given the alias to a newer version since, and lost it to this one.
        while (found := _in_stage(client, name, STAGING)) and found[-1].version != newest:
            newest = found[-1].version
            client.set_registered_model_alias(name, STAGING, newest)
        left = found[:-1]
    for version in left:
        _note(client, version, ARCHIVED, f"left {version.tags['stage']}")


def _in_stage(client: MlflowClient, name: str, stage: str) -> list[ModelVersion]:
    return [version for version in list_versions(client, name) if version.tags.get("stage") == stage]


def _ensure_name(client: MlflowClient, name: str, description: str) -> None:
    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _copy(client: MlflowClient, chosen: ModelVersion, origin: dict[str, str]) -> ModelVersion:
    """Do what ``copy_model_version`` does, in one call with the tags.

    Until the alias moves the copy counts as archived: an interruption leaves nothing half-promoted.
    """
    _ensure_name(client, PRODUCTION_MODEL, "Bank churn: what serving uses, under the alias production.")
    return client.create_model_version(
        PRODUCTION_MODEL,
        source=f"models:/{chosen.name}/{chosen.version}",
        run_id=chosen.run_id,
        model_id=chosen.model_id,
        tags={**chosen.tags, **origin, **_stage_tags(ARCHIVED, "copied")},
    )


def _go_live(
    client: MlflowClient, target: ModelVersion, reason: str, previous: str | None = None
) -> ModelVersion:
    live = production_version(client)
    if live is None or live.version != target.version:
        load_version(client, target.name, target.version)
        if previous is None:
            previous = str(live.version) if live else ""
        client.set_model_version_tag(target.name, target.version, "previous_version", previous)
        _note(client, target, PRODUCTION, reason)
        client.set_registered_model_alias(target.name, PRODUCTION, target.version)
    reconcile(client, target.name)
    return client.get_model_version(target.name, target.version)


def _note(client: MlflowClient, version: ModelVersion, stage: str, reason: str) -> None:
    for key, value in _stage_tags(stage, reason).items():
        client.set_model_version_tag(version.name, version.version, key, value)


def _stage_tags(stage: str, reason: str) -> dict[str, str]:
    """Return a stage with who moved the version there, when and why."""
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


def _version(client: MlflowClient, name: str, version: str | int) -> ModelVersion:
    try:
        return client.get_model_version(name, str(version))
    except MlflowException as error:
        known = ", ".join(str(v.version) for v in list_versions(client, name)) or "none"
        raise RegistryError(f"{name} has no version {version} (it has: {known})") from error


def _holder(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
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
