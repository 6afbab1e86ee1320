#!/bin/sh
# Replace what the compose stack holds by a backup: infra/restore.sh backups/<time>. The stack must be up.
set -eu
cd "$(dirname "$0")/.."
from=${1:-}
if [ ! -s "$from/mlflow.dump" ] || [ ! -s "$from/minio.tar" ]; then
    echo "no backup in '$from': name a folder that make backup wrote, e.g. make restore FROM=backups/20260101T000000Z" >&2
    exit 2
fi
stack() { ${COMPOSE:-docker compose} --project-directory infra -f infra/docker-compose.yml "$@"; }
# Another image's: MinIO's has neither tar nor find.
in_minio() { stack run -T --rm --no-deps --entrypoint sh minio-volume -ec "$1"; }

trap 'stack start minio mlflow' EXIT
stack stop mlflow minio
# Unpacked whole before anything old goes.
give_up() { in_minio 'rm -rf /data/.restore' < /dev/null; exit 1; }
in_minio 'rm -rf /data/.restore; mkdir /data/.restore; tar -C /data/.restore -xf -' < "$from/minio.tar" || give_up
# One transaction: all of the old runs, or all of the new ones.
stack exec -T postgres pg_restore -U mlflow -d mlflow --clean --if-exists --single-transaction < "$from/mlflow.dump" ||
    give_up
in_minio 'find /data -mindepth 1 -maxdepth 1 ! -name .restore -exec rm -rf {} +
    find /data/.restore -mindepth 1 -maxdepth 1 -exec mv {} /data/ \;
    rmdir /data/.restore' < /dev/null
if [ -s "$from/retrain.tar" ]; then # a table's name is its content: what is there already may stay
    stack run -T --rm --no-deps --entrypoint tar monitor -C /retrain -xf - < "$from/retrain.tar"
fi
echo "restored: $from"
