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

stack stop mlflow minio
trap 'stack start minio mlflow' EXIT
# One transaction: all of the old runs, or all of the new ones.
stack exec -T postgres pg_restore -U mlflow -d mlflow --clean --if-exists --single-transaction < "$from/mlflow.dump"
stack run -T --rm --no-deps --entrypoint sh minio -c 'find /data -mindepth 1 -delete && tar -C /data -xf -' < "$from/minio.tar"
echo "restored: $from"
