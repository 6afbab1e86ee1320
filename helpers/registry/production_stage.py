"""The stage ``production``: promote, roll back, and what was in production when.

A registry has no locks, so calls at the same moment agree by what is atomic in it: version numbers and the
alias. Of several copies of one version the lowest is used, and the others are tagged ``duplicate_of``. What
the alias points at is in production, and the tags follow it. Every call looks again after its own last write,
so the last of them leaves alias and tags in agreement.
"""

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from helpers.config import ARCHIVED, PRODUCTION
from helpers.errors import RegistryError
from helpers.registry.stage_tags import ensure_name, set_alias, set_stage, set_tags, stage_tags
from helpers.registry.versions import get_version, list_versions, load_version, production_version
from helpers.table import current_table
from helpers.tracking import store_address

DUPLICATE_OF = "duplicate_of"
REASON = "promotion_reason"  # becomes the reason of the stage once the alias points at the version


def promote(
    client: MlflowClient, name: str, version: str | int, reason: str, replaces: str | None = None
) -> ModelVersion:
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
    replaces : str, optional
        The version in production that the gates compared with; empty if there was none. None for the one at
        the start of this call.

    Raises
    ------
    RegistryError
        If the version does not exist or its model does not load (nothing is changed then), or if another
        version was put in production at the same moment.
    """
    challenger = get_version(client, name, version)
    if replaces is None:
        replaces = _number(production_version(client))
    if not (copies := _copies(client, challenger)):
        load_version(client, name, version)
        _copy(client, challenger, replaces, reason)
        copies = _copies(client, challenger)
    return _put_in_production(client, copies[0], reason, replaces, replaces)


def roll_back(client: MlflowClient, reason: str) -> ModelVersion:
    """Point ``production`` at the previous production version again, and archive the current one.

    Raises
    ------
    RegistryError
        If nothing is in production, or nothing was before, or if another version was put in production at the
        same moment.
    """
    current = production_version(client)
    if current is None:
        raise RegistryError(
            f"nothing to roll back: {current_table().name!r} has no {PRODUCTION} version in "
            f"{store_address()} yet"
        )
    number = current.tags.get("previous_version")
    if not number:
        raise RegistryError(f"nothing to roll back to: version {current.version} was the first in production")
    previous = get_version(client, current_table().name, number)
    return _put_in_production(
        client, previous, reason, _number(current), previous.tags.get("previous_version", "")
    )


def history(client: MlflowClient) -> pd.DataFrame:
    """Return every version that is or was in production, or was to be, oldest first.

    Returns
    -------
    DataFrame
        Indexed by version; ``stage`` (as the alias has it, whatever an interrupted call left in the tags),
        ``source``, ``replaced`` (the version in production before), ``at``, ``by``, ``reason``.
    """
    live = _number(production_version(client))
    versions = list_versions(client, current_table().name)
    rows = [
        {
            "stage": PRODUCTION if str(version.version) == live else ARCHIVED,
            "source": _source(version),
            "replaced": version.tags.get("previous_version", ""),
            "at": version.tags.get("stage_at", ""),
            "by": version.tags.get("stage_by", ""),
            "reason": version.tags.get("stage_reason", ""),
        }
        for version in versions
    ]
    index = pd.Index([int(version.version) for version in versions], name=f"{current_table().name} version")
    return pd.DataFrame(rows, index, columns=["stage", "source", "replaced", "at", "by", "reason"])


def reconcile_production(client: MlflowClient) -> None:
    """Let the tags follow the alias, and mark duplicates, until there is nothing left to do."""
    while corrections := _corrections(client):
        for version, tags in corrections:
            set_tags(client, version, tags)


def _corrections(client: MlflowClient) -> list[tuple[ModelVersion, dict[str, str]]]:
    """Return the versions whose tags are wrong, with the right ones."""
    # In this order: what a promotion writes before it moves the alias is seen.
    live, versions = _number(production_version(client)), list_versions(client, current_table().name)
    corrections = []
    originals: dict[str, str] = {}
    for version in versions:
        number, stage = str(version.version), version.tags.get("stage")
        original = originals.setdefault(_source(version), number) if "source_name" in version.tags else number
        if number == live:
            if stage != PRODUCTION:
                reason = version.tags.get(REASON, "alias points here")
                corrections.append((version, {"stage_reason": reason, "stage": PRODUCTION}))
        elif original != number and DUPLICATE_OF not in version.tags:
            tags = stage_tags(ARCHIVED, f"duplicate of version {original}")
            corrections.append((version, {**tags, DUPLICATE_OF: original}))
        elif stage == PRODUCTION:
            by = f" by version {live}" if live else ""
            corrections.append((version, stage_tags(ARCHIVED, f"replaced in {PRODUCTION}{by}")))
    return corrections


def _copies(client: MlflowClient, challenger: ModelVersion) -> list[ModelVersion]:
    """Return the copies of a version under the production name, oldest first."""
    origin = _origin(challenger).items()
    versions = list_versions(client, current_table().name)
    return [version for version in versions if origin <= version.tags.items()]


def _copy(client: MlflowClient, challenger: ModelVersion, replaces: str, reason: str) -> None:
    """Do what ``copy_model_version`` does, with the tags in the same call.

    The copy counts as archived until the alias moves: an interruption leaves nothing half promoted.
    """
    described = current_table()
    purpose = f"{described.title or described.name}: what serving uses, under the alias production."
    ensure_name(client, described.name, purpose)
    client.create_model_version(
        described.name,
        source=f"models:/{challenger.name}/{challenger.version}",
        run_id=challenger.run_id,
        model_id=challenger.model_id,
        tags={
            **challenger.tags,
            **_origin(challenger),
            **stage_tags(ARCHIVED, "copied"),
            "previous_version": replaces,
            REASON: reason,
        },
    )


def _put_in_production(
    client: MlflowClient, target: ModelVersion, reason: str, replaces: str, previous: str
) -> ModelVersion:
    """Move the alias from version ``replaces``; ``previous`` is where a rollback goes from the target."""
    number = str(target.version)
    if _number(production_version(client)) != number:
        load_version(client, target.name, target.version)
    # Loading takes its time, so the last look is after it.
    current = _number(production_version(client))
    if current == replaces != number:
        set_tags(client, target, {"previous_version": previous, REASON: reason})
        set_alias(client, target, PRODUCTION)
        set_stage(client, target, PRODUCTION, reason)
    elif current != number:
        set_stage(client, target, ARCHIVED, f"not promoted: version {current} was, at the same moment")
    reconcile_production(client)
    live = production_version(client)
    if live is None or str(live.version) != number:
        now = f"version {live.version} ({_source(live)})" if live else "no version"
        raise RegistryError(
            f"{target.name} version {number} ({_source(target)}) is archived: since the gates ran, or "
            f"at the same moment, {target.name} {now} was promoted. Run the gates again, against it."
        )
    return live


def _number(version: ModelVersion | None) -> str:
    return str(version.version) if version else ""


def _origin(challenger: ModelVersion) -> dict[str, str]:
    return {"source_name": challenger.name, "source_version": str(challenger.version)}


def _source(version: ModelVersion) -> str:
    return f"{version.tags.get('source_name', '')} v{version.tags.get('source_version', '')}"
