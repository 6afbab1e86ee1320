"""Make MLflow's ordinary user, who trains and registers, if he is not there yet."""

import os

from mlflow.server.auth.config import read_auth_config
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

store = SqlAlchemyStore()
store.init_db(read_auth_config().database_uri)
name = os.environ["MLFLOW_TRACKING_USERNAME"]
if not store.has_user(name):
    store.create_user(name, os.environ["MLFLOW_TRACKING_PASSWORD"])
