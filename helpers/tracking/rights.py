"""What a user may do on a server with logins, found out before the work instead of after it."""

import os
from collections.abc import Mapping

from mlflow import MlflowClient

from helpers.errors import StoreError
from helpers.table import current_table
from helpers.tracking._mlflow import get_json
from helpers.tracking.store import store_address, tracking_uri
from helpers.tracking.store_errors import store_errors

# Of MLflow's basic-auth, lowest first. Versions, tags and aliases take EDIT, deleting an alias takes MANAGE.
LEVELS = ("READ", "USE", EDIT := "EDIT", MANAGE := "MANAGE")
_PAGES = "/api/2.0/mlflow/users/current", "/api/3.0/mlflow/users/permissions/get"


def check_rights(client: MlflowClient, models: Mapping[str, str] | None = None) -> None:
    """Check that this user may write to the experiment, and change registered models.

    Silent if the store has no users: a database, or a server without logins. A registered model that does not
    exist yet may be created by everybody, and belongs to its creator.

    Parameters
    ----------
    client : MlflowClient
    models : dict, optional
        The right that is needed, ``EDIT`` or ``MANAGE``, by registered model.

    Raises
    ------
    StoreError
        If a right is missing. The message names the user, every object and what to grant.
    """
    uri = tracking_uri()
    if not uri.startswith("http"):
        return
    current, get = _PAGES
    with store_errors(uri):
        user = (get_json(uri, current) or {}).get("user", {})
        if "username" not in user or user.get("is_admin"):
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or current_table().experiment
        objects = []
        if experiment := client.get_experiment_by_name(name):
            objects.append(("experiment", experiment.experiment_id, f"experiment {name!r}", EDIT))
        objects += [
            ("registered_model", model, f"registered model {model!r}", right)
            for model, right in (models or {}).items()
            if client.search_registered_models(f"name='{model}'")
        ]
        missing = []
        for kind, key, label, needed in objects:
            answer = get_json(uri, get, username=user["username"], resource_type=kind, resource_id=key)
            if answer is None:
                return  # of another version: refusals come when it is done
            has = answer.get("permission")
            if has not in LEVELS[LEVELS.index(needed) :]:
                missing.append(f"{needed} on {label} (has {has})")
    if missing:
        raise StoreError(
            f"{store_address()}: user {user['username']!r} needs {' and '.join(missing)}: the administrator "
            'must grant it (docs/stack.md, "Add a colleague")'
        )
