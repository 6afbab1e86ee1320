#!/bin/sh
# Replace the Compose stack's content with a backup: infra/restore.sh backups/<time>. The stack must be up.
set -eu
cd "$(dirname "$0")/.."
from=${1:-}
if [ ! -s "$from/mlflow.dump" ] || [ ! -s "$from/minio.tar" ]; then
    echo "no backup in '$from': name a folder that make backup wrote, e.g. make restore FROM=backups/20260101T000000Z" >&2
    exit 2
fi
stack() { ${COMPOSE:-docker compose} --project-directory infra -f infra/docker-compose.yml "$@"; }
# With another service's image: MinIO's has neither tar nor find.
in_minio() { stack run -T --rm --no-deps --entrypoint sh minio-volume -ec "$1"; }

trap 'stack start minio mlflow' EXIT
stack stop mlflow minio
# The whole backup is unpacked and read before anything is deleted.
give_up() { in_minio 'rm -rf /data/.restore' < /dev/null; exit 1; }
in_minio 'rm -rf /data/.restore; mkdir /data/.restore; tar -C /data/.restore -xf -' < "$from/minio.tar" || give_up
# Into a separate database: tables that a newer MLflow added to the current one do not interfere.
stack exec -T postgres sh -ec 'for name in restored replaced; do dropdb -U mlflow --if-exists $name; done
    createdb -U mlflow restored; pg_restore -U mlflow -d restored --exit-on-error' < "$from/mlflow.dump" || give_up
# One transaction: all of the old runs, or all of the new ones.
stack exec -T postgres psql -U mlflow -d postgres -q -v ON_ERROR_STOP=1 -c "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mlflow';
    ALTER DATABASE mlflow RENAME TO replaced; ALTER DATABASE restored RENAME TO mlflow" < /dev/null || give_up
in_minio 'find /data -mindepth 1 -maxdepth 1 ! -name .restore -exec rm -rf {} +
    find /data/.restore -mindepth 1 -maxdepth 1 -exec mv {} /data/ \;
    rmdir /data/.restore' < /dev/null
stack exec -T postgres dropdb -U mlflow replaced < /dev/null
stack run -T --rm --no-deps mlflow-migrate < /dev/null # the backup may be from an older MLflow
if [ -s "$from/retrain.tar" ]; then # tables are named by their content, so existing ones can stay
    stack run -T --rm --no-deps --entrypoint tar monitor -C /retrain -xf - < "$from/retrain.tar"
fi
echo "restored: $from"
