#!/bin/sh
# Restore a backup, from Compose or Kubernetes, into the stack on Kubernetes: infra/k8s/restore.sh backups/<time>
# The stack's content is replaced. Both stacks must have the same secrets (infra/k8s/make_secrets.py).
set -eu
from=${1:-}
if [ ! -s "$from/mlflow.dump" ] || [ ! -s "$from/minio.tar" ]; then
    echo "no backup in '$from': name a folder that make backup or infra/k8s/backup.sh wrote" >&2
    exit 2
fi
. "$(dirname "$0")/paused.sh"

# The whole backup is unpacked and read before anything is deleted.
give_up() { in_volume 'rm -rf /data/.restore' < /dev/null; exit 1; }
in_volume 'rm -rf /data/.restore; mkdir /data/.restore; tar -C /data/.restore -xf -' < "$from/minio.tar" || give_up
# Into a separate database: tables that a newer MLflow added to the current one do not interfere.
kube exec -i postgres-0 -- sh -ec 'for name in restored replaced; do dropdb -U mlflow --if-exists $name; done
    createdb -U mlflow restored; pg_restore -U mlflow -d restored --exit-on-error' < "$from/mlflow.dump" || give_up
# One transaction: all of the old runs, or all of the new ones.
kube exec -i postgres-0 -- psql -U mlflow -d postgres -q -v ON_ERROR_STOP=1 -c "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mlflow';
    ALTER DATABASE mlflow RENAME TO replaced; ALTER DATABASE restored RENAME TO mlflow" < /dev/null || give_up
# The volume's root and lost+found belong to the storage driver.
in_volume 'find /data -mindepth 1 -maxdepth 1 ! -name .restore ! -name lost+found -exec rm -rf {} +
    find /data/.restore -mindepth 1 -maxdepth 1 ! -name lost+found -exec mv {} /data/ \;
    rm -rf /data/.restore' < /dev/null
kube exec -i postgres-0 -- dropdb -U mlflow replaced < /dev/null
if [ -s "$from/retrain.tar" ]; then # tables are named by their content, so existing ones can stay
    in_retrain 'rm -rf /retrain/.restore; mkdir /retrain/.restore; tar -C /retrain/.restore --exclude=./lost+found -xf -
        cp -R /retrain/.restore/. /retrain/; rm -rf /retrain/.restore' < "$from/retrain.tar"
fi
echo "restored: $from. If it is from an older MLflow, migrate it: docs/kubernetes.md, Upgrade, starting with the delete."
