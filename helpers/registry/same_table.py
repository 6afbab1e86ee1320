"""Whether a version was trained for the table in use: another description of the same name is refused.

A model of other columns would fail on the first customer; one of the swapped outcome would not fail, and give
the probability of the opposite. So a version is compared whenever its files are read: by its signature, and
by what `tracking.log_model` recorded of the description (versions without that: by the signature only).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model, ModelSignature
from mlflow.types import DataType

from helpers.errors import OtherTable
from helpers.table import current_table, description_path
from helpers.tracking import TABLE

TABLE_TAG = "table_sha256"  # of a version: the description's fingerprint
SHOWN = 5  # columns in a message
ROLES = ("numeric", "categorical", "binary")
TYPES = ("a number", "text")  # what a signature tells of a column's role


def require_same_table(version: ModelVersion, model: Model) -> None:
    """Refuse a version that was trained with another description than the one in use.

    Parameters
    ----------
    version : ModelVersion
    model : Model
        What its MLmodel file says, read from checked files.

    Raises
    ------
    OtherTable
        If it has other columns, roles or another outcome; one line names them and the remedy.
    """
    recorded = (model.metadata or {}).get(TABLE) or {}
    differences = [*_columns(model.signature, recorded), *_outcome(recorded)]
    if differences:
        trained_with = "the description that it was trained with"
        if recorded and version.run_id:
            trained_with += f", the artifact table.yaml of run {version.run_id}"
        raise OtherTable(
            f"{version.name} version {version.version} was trained for another table than "
            f"{description_path()} describes: {'; '.join(differences)}. Use {trained_with}, or train for "
            "this table under another `name`."
        )


def _columns(signature: ModelSignature | None, recorded: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is different about the columns; nothing if no one knows what the version has."""
    described = current_table()
    here = {name: described.features[name].role for name in described.feature_names}
    there: dict[str, str] = {name: role for role in ROLES for name in recorded.get(role, [])}
    if signature and signature.inputs:
        columns = {column.name: TYPES[column.type == DataType.string] for column in signature.inputs}
        there = {name: there.get(name, kind) for name, kind in columns.items()}
    if not there:
        return
    if extra := [name for name in there if name not in here]:
        yield f"it has {_listed(map(repr, extra))}, which the table has not"
    if lacking := [name for name in here if name not in there]:
        yield f"it lacks {_listed(map(repr, lacking))}"
    roles = [
        f"{name!r} is {there[name]} and not {role}"
        for name, role in here.items()
        if name in there and there[name] not in (role, TYPES[role == "categorical"])
    ]
    if roles:
        yield f"to it {_listed(roles)}"


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    return ", ".join(every[:SHOWN]) + (f" and {len(every) - SHOWN} more" if len(every) > SHOWN else "")


def _outcome(recorded: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is different about the outcome."""
    here = current_table().meaning
    parts = ("target", "positive", "negative")
    if recorded and any(recorded.get(part) != here[part] for part in parts):
        predicts, target = (
            "{!r} = {!r} (not {!r})".format(*(found.get(part) for part in parts))
            for found in (recorded, here)
        )
        yield f"it predicts {predicts}, and the table's outcome is {target}"
