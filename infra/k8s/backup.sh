#!/bin/sh
# Copy the content of the stack on Kubernetes into backups/<time>, in the format of `make backup`; MLflow and MinIO pause.
# Either stack's restore.sh accepts it.
set -eu
cd "$(dirname "$0")/../.."
target="${BACKUP_DIR:-backups}/$(date -u +%Y%m%dT%H%M%SZ)"
part="$target.part"
. infra/k8s/paused.sh

umask 077
mkdir -p "$part"
trap 'rm -rf "$part"; resume' EXIT
kube exec postgres-0 -- pg_dump -U mlflow -d mlflow --format=custom > "$part/mlflow.dump"
# A volume's own lost+found belongs to root.
in_volume 'tar -C /data --exclude=./lost+found -cf - .' < /dev/null > "$part/minio.tar"
in_retrain 'tar -C /retrain --exclude=./lost+found -cf - .' < /dev/null > "$part/retrain.tar"
mv "$part" "$target"
echo "backup: $target"
