"""Wait for what the two Jobs make: both schemas, tracking and users, at this version, and an open bucket."""

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


def behind(engine: sqlalchemy.Engine) -> list[str]:
    """Return, for every schema that is not there yet, what it is at and what it must be at."""
    missing = []
    with engine.connect() as connection:
        for table, folder in MIGRATIONS.items():
            needed = ScriptDirectory(str(Path(mlflow.__file__).parent / folder)).get_current_head()
            found = MigrationContext.configure(
                connection, opts={"version_table": table}
            ).get_current_revision()
            if found != needed:
                missing.append(f"{table} is at {found}, {needed} is needed")
    return missing


def no_bucket() -> list[str]:
    """Return why artifacts can't be listed; nothing if they can."""
    destination = os.environ["MLFLOW_ARTIFACTS_DESTINATION"]
    try:
        get_artifact_repository(destination).list_artifacts()
    except Exception as error:  # of whichever store it is
        return [f"{destination}: {error}"]
    return []


def main() -> None:
    """Return when both stores are there; say every ten seconds what is missing."""
    engine = sqlalchemy.create_engine(os.environ["MLFLOW_BACKEND_STORE_URI"], poolclass=sqlalchemy.NullPool)
    while True:
        try:
            missing = behind(engine) or no_bucket()
        except sqlalchemy.exc.OperationalError as error:
            missing = [f"PostgreSQL does not answer: {error.orig}"]
        if not missing:
            return
        print("; ".join(missing), file=sys.stderr, flush=True)
        time.sleep(10)


if __name__ == "__main__":
    main()
