#!/bin/sh
# Copy both stores of the Compose stack into backups/<time>, consistently: MLflow, the only writer, pauses. The tables
# that retraining used are included: without its table, a production model cannot be compared with new customers.
set -eu
cd "$(dirname "$0")/.."
stack() { ${COMPOSE:-docker compose} --project-directory infra -f infra/docker-compose.yml "$@"; }
# With another service's image: MinIO's has no tar.
pack() { stack run -T --rm --no-deps --entrypoint tar "$1" -C "$2" -cf - .; }

target="${BACKUP_DIR:-backups}/$(date -u +%Y%m%dT%H%M%SZ)"
part="$target.part"
umask 077
mkdir -p "$part"
# Restarted whatever happens below.
trap 'rm -rf "$part"; stack start minio mlflow' EXIT
stack stop mlflow
stack exec -T postgres pg_dump -U mlflow -d mlflow --format=custom > "$part/mlflow.dump"
stack stop minio
pack minio-volume /data > "$part/minio.tar"
pack monitor /retrain > "$part/retrain.tar"
mv "$part" "$target"
echo "backup: $target"
