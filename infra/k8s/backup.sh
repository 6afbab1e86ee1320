#!/bin/sh
# Copy what the stack on Kubernetes holds into backups/<time>, in the form of compose's `make backup`; MLflow and MinIO pause.
# Either stack's restore.sh takes it.
set -eu
cd "$(dirname "$0")/../.."
target="${BACKUP_DIR:-backups}/$(date -u +%Y%m%dT%H%M%SZ)"
part="$target.part"
. infra/k8s/paused.sh

umask 077
mkdir -p "$part"
trap 'rm -rf "$part"; resume' EXIT
kube exec postgres-0 -- pg_dump -U mlflow -d mlflow --format=custom > "$part/mlflow.dump"
# A volume's own lost+found is root's.
in_volume 'tar -C /data --exclude=./lost+found -cf - .' < /dev/null > "$part/minio.tar"
in_retrain 'tar -C /retrain --exclude=./lost+found -cf - .' < /dev/null > "$part/retrain.tar"
mv "$part" "$target"
echo "backup: $target"
