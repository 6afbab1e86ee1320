#!/bin/sh
# Copy what the stack on Kubernetes holds into backups/<time>, in the form of compose's `make backup`: MLflow, the only
# writer, pauses. Either stack's restore.sh takes it.
set -eu
cd "$(dirname "$0")/../.."
kube() { ${KUBECTL:-kubectl} -n bank-churn "$@"; }
replicas=$(kube get deployment mlflow -o 'jsonpath={.spec.replicas}')

target="${BACKUP_DIR:-backups}/$(date -u +%Y%m%dT%H%M%SZ)"
part="$target.part"
umask 077
mkdir -p "$part"
# Started again whatever happens below.
trap 'kube scale deployment/mlflow --replicas="$replicas"' EXIT
kube scale deployment/mlflow --replicas=0
kube wait --for=delete pod -l app.kubernetes.io/name=mlflow --timeout=200s
kube exec postgres-0 -- pg_dump -U mlflow -d mlflow --format=custom > "$part/mlflow.dump"
# A volume's own lost+found is root's.
kube exec deploy/minio -- tar -C /data --exclude=./lost+found -cf - . > "$part/minio.tar"
kube exec deploy/jupyter -c jupyter -- tar -C /retrain --exclude=./lost+found -cf - . > "$part/retrain.tar"
mv "$part" "$target"
echo "backup: $target"
