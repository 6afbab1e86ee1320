"""Add a colleague, or change their rights: python /scripts/add_user.py NAME [READ|EDIT|MANAGE], default EDIT.

The right is on every experiment and registered model. The password of a new user is printed, once.
"""

import os
import secrets
import sys

from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient
from mlflow.server.auth.config import read_auth_config


def main(name: str, right: str = "EDIT") -> None:
    """Create the user unless it exists, and grant the right."""
    os.environ["MLFLOW_TRACKING_USERNAME"] = read_auth_config().admin_username
    os.environ["MLFLOW_TRACKING_PASSWORD"] = os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"]
    server = AuthServiceClient(os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000"))
    try:
        server.get_user(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        password = secrets.token_urlsafe(18)
        server.create_user(name, password)
        print(f"password of {name}: {password}")
    for kind in ("experiment", "registered_model"):
        try:
            server.grant_user_permission(name, kind, "*", right)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            server.revoke_user_permission(name, kind, "*")
            server.grant_user_permission(name, kind, "*", right)
    print(f"{name} has {right} on every experiment and registered model")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3 or sys.argv[-1] not in ("READ", "EDIT", "MANAGE", sys.argv[1]):
        sys.exit(__doc__)
    main(*sys.argv[1:])
