"""Wait for the two Jobs: both schemas, tracking and users, at this version, and an accessible bucket."""

import os
import sys
import time
from pathlib import Path

import mlflow
import sqlalchemy
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

MIGRATIONS = {"alembic_version": "store/db_migrations", "alembic_version_auth": "server/auth/db/migrations"}


def outdated_schemas(engine: sqlalchemy.Engine) -> list[str]:
    """Return, for every outdated schema, its revision and the required one."""
    missing = []
    with engine.connect() as connection:
        for table, folder in MIGRATIONS.items():
            needed = ScriptDirectory(str(Path(mlflow.__file__).parent / folder)).get_current_head()
            current = MigrationContext.configure(
                connection, opts={"version_table": table}
            ).get_current_revision()
            if current != needed:
                missing.append(f"{table} is at {current}, {needed} is needed")
    return missing


def bucket_problem() -> list[str]:
    """Return why artifacts cannot be listed; an empty list if they can."""
    destination = os.environ["MLFLOW_ARTIFACTS_DESTINATION"]
    try:
        get_artifact_repository(destination).list_artifacts()
    except Exception as error:  # each store has its own
        return [f"{destination}: {error}"]
    return []


def main() -> None:
    """Return when both stores are ready; print what is missing every ten seconds."""
    engine = sqlalchemy.create_engine(os.environ["MLFLOW_BACKEND_STORE_URI"], poolclass=sqlalchemy.NullPool)
    while True:
        try:
            missing = outdated_schemas(engine) or bucket_problem()
        except sqlalchemy.exc.OperationalError as error:
            missing = [f"PostgreSQL does not answer: {error.orig}"]
        if not missing:
            return
        print("; ".join(missing), file=sys.stderr, flush=True)
        time.sleep(10)


if __name__ == "__main__":
    main()
