#!/bin/sh
# Copy both stores of the compose stack into backups/<time>, at one moment: MLflow, the only writer, pauses.
set -eu
cd "$(dirname "$0")/.."
stack() { ${COMPOSE:-docker compose} --project-directory infra -f infra/docker-compose.yml "$@"; }

target="${BACKUP_DIR:-backups}/$(date -u +%Y%m%dT%H%M%SZ)"
part="$target.part"
umask 077
mkdir -p "$part"
stack stop mlflow
# Started again whatever happens below.
trap 'stack start mlflow' EXIT
stack exec -T postgres pg_dump -U mlflow -d mlflow --format=custom > "$part/mlflow.dump"
stack stop minio
stack run -T --rm --no-deps --entrypoint tar minio -C /data -cf - . > "$part/minio.tar"
stack start minio
mv "$part" "$target"
echo "backup: $target"
