"""Create MLflow's two users, the admin and the one for trainings, or set their current passwords."""

import os

from mlflow.server.auth.config import read_auth_config
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

config, store = read_auth_config(), SqlAlchemyStore()
store.init_db(config.database_uri)
users = {
    config.admin_username: (os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"], True),
    os.environ["MLFLOW_TRACKING_USERNAME"]: (os.environ["MLFLOW_TRACKING_PASSWORD"], False),
}
for name, (password, is_admin) in users.items():
    if store.has_user(name):
        store.update_user(name, password=password)
    else:
        store.create_user(name, password, is_admin)
