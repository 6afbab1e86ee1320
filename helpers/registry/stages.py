"""Move model versions between stages: register, archive; `production_stage` has promotion and rollback.

A stage is both an alias (``staging``, ``production``: where a name points now) and a tag ``stage`` on every
version (``staging``, ``production``, ``archived``: what it is or was). Every call is idempotent, completes
what an interrupted call left undone, and moves ``production`` only to a version whose model loads.
"""

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from helpers.config import ARCHIVED, PRODUCTION, STAGING
from helpers.errors import RegistryError, UnverifiedModel
from helpers.registry.model_files import MANIFEST_TAG, manifest_of, verified_copy
from helpers.registry.production_stage import reconcile_production
from helpers.registry.same_table import TABLE_TAG
from helpers.registry.stage_tags import ensure_name, set_alias, set_stage, stage_tags, versions_in_stage
from helpers.registry.versions import get_version, production_version
from helpers.table import current_table


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
    described = current_table()
    name = described.registered_name(algorithm)
    ensure_name(client, name, f"{described.title or described.name}: every training of {algorithm}.")
    model_id = model_uri.removeprefix("models:/")
    location = client.get_logged_model(model_id).artifact_location
    manifest = manifest_of(location)
    # The stage is set in the call that creates the version: no version is ever without one, and two trainings
    # that reconcile the same name concurrently only update tags that exist.
    version = client.create_model_version(
        name,
        source=model_uri,
        run_id=run_id,
        model_id=model_id,
        tags={
            **(tags or {}),
            **stage_tags(STAGING, "trained"),
            "algorithm": algorithm,
            TABLE_TAG: described.fingerprint,
            MANIFEST_TAG: manifest,
        },
    )
    reconcile(client, name)
    return client.get_model_version(name, version.version)


def archive(client: MlflowClient, name: str, version: str | int, reason: str) -> ModelVersion:
    """Take a version out of staging and tag it ``archived``; nothing is deleted.

    A version in production is archived only if its files are not what was registered; then nothing is in
    production any more.

    Raises
    ------
    RegistryError
        If the version does not exist or is in production.
    """
    target = get_version(client, name, version)
    live = production_version(client) if name == current_table().name else None
    if live and live.version == target.version:
        if _is_verified(client, target):
            raise RegistryError(f"{name} version {version} is in production: roll back, or promote another")
        client.delete_registered_model_alias(name, PRODUCTION)
    if target.tags.get("stage") != ARCHIVED:
        set_stage(client, target, ARCHIVED, reason)
    reconcile(client, name)
    return client.get_model_version(name, target.version)


def _is_verified(client: MlflowClient, version: ModelVersion) -> bool:
    try:
        with verified_copy(client, version):
            return True
    except UnverifiedModel:
        return False


def reconcile(client: MlflowClient, name: str) -> None:
    """Complete what an interrupted call left undone, so that aliases and stage tags agree.

    For the production model, the alias is authoritative: the version that it points at is tagged
    ``production``, and any other version with that tag is archived. For an algorithm's model, the newest
    version tagged ``staging`` gets the alias, and older ones are archived. Concurrent calls converge: each
    looks again after its last write.
    """
    if name == current_table().name:
        reconcile_production(client)
    else:
        while _correct_staging(client, name):
            pass


def _correct_staging(client: MlflowClient, name: str) -> bool:
    """Point ``staging`` at the newest version with that tag and archive the others; tell if it was needed."""
    staged = versions_in_stage(client, name, STAGING)
    pointed_at = client.get_registered_model(name).aliases.get(STAGING)
    if staged and str(pointed_at) != str(staged[-1].version):
        set_alias(client, staged[-1], STAGING)
    elif not staged and pointed_at is not None:
        client.delete_registered_model_alias(name, STAGING)
    elif len(staged) < 2:
        return False
    for version in staged[:-1]:
        set_stage(client, version, ARCHIVED, f"replaced in {STAGING}")
    return True
