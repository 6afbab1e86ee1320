#!/bin/sh
# Put a backup into the stack on Kubernetes, compose's or its own: infra/k8s/restore.sh backups/<time>
# What the stack on Kubernetes holds is replaced. Both must have the same secrets (infra/k8s/make_secrets.py).
set -eu
from=${1:-}
if [ ! -s "$from/mlflow.dump" ] || [ ! -s "$from/minio.tar" ]; then
    echo "no backup in '$from': name a folder that make backup or infra/k8s/backup.sh wrote" >&2
    exit 2
fi
kube() { ${KUBECTL:-kubectl} -n bank-churn "$@"; }
in_volume() { kube exec -i restore -- sh -ec "$1"; }
replicas=$(kube get deployment mlflow -o 'jsonpath={.spec.replicas}')
image=$(kube get deployment minio -o 'jsonpath={.spec.template.spec.containers[0].image}')

# No writer while both stores change; they come back whatever happens below.
trap 'kube delete pod restore --ignore-not-found; kube scale deployment/minio --replicas=1; kube scale deployment/mlflow --replicas="$replicas"' EXIT
kube scale deployment/mlflow deployment/minio --replicas=0
kube wait --for=delete pod -l 'app.kubernetes.io/name in (mlflow, minio)' --timeout=200s

kube apply -f - <<POD
apiVersion: v1
kind: Pod
metadata: {name: restore}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: restore
      image: $image
      imagePullPolicy: IfNotPresent
      command: [sleep, "3600"]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: minio}}]
POD
kube wait --for=condition=Ready pod/restore --timeout=120s

# Unpacked whole before anything old goes.
in_volume 'rm -rf /data/.restore; mkdir /data/.restore; tar -C /data/.restore -xf -' < "$from/minio.tar"
# One transaction: all of the old runs, or all of the new ones.
kube exec -i postgres-0 -- pg_restore -U mlflow -d mlflow --clean --if-exists --single-transaction < "$from/mlflow.dump"
# The volume's own root and lost+found belong to the storage.
in_volume 'find /data -mindepth 1 -maxdepth 1 ! -name .restore ! -name lost+found -exec rm -rf {} +
    find /data/.restore -mindepth 1 -maxdepth 1 ! -name lost+found -exec mv {} /data/ \;
    rm -rf /data/.restore' < /dev/null
if [ -s "$from/retrain.tar" ]; then # a table's name is its content: what is there already may stay
    kube exec -i deploy/jupyter -c jupyter -- sh -ec '
        rm -rf /retrain/.restore; mkdir /retrain/.restore; tar -C /retrain/.restore --exclude=./lost+found -xf -
        cp -R /retrain/.restore/. /retrain/; rm -rf /retrain/.restore' < "$from/retrain.tar"
fi
echo "restored: $from"
