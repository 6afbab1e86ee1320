# Sourced by backup.sh and restore.sh: MLflow, the only writer, and MinIO pause, and a pod `volume` mounts MinIO's volume.
# They are resumed at the end, whatever happens.
kube() { ${KUBECTL:-kubectl} -n bank-churn "$@"; }
in_volume() { kube exec -i volume -- sh -ec "$1"; }
in_retrain() { kube exec -i deploy/jupyter -c jupyter -- sh -ec "$1"; }
replicas=$(kube get deployment mlflow -o 'jsonpath={.spec.replicas}')
image=$(kube get deployment mlflow -o 'jsonpath={.spec.template.spec.containers[0].image}') # MinIO's has neither tar nor find

resume() {
    kube delete pod volume --ignore-not-found
    kube scale deployment/minio --replicas=1
    kube scale deployment/mlflow --replicas="$replicas"
}
trap resume EXIT
kube scale deployment/mlflow deployment/minio --replicas=0
kube wait --for=delete pod -l 'app.kubernetes.io/name in (mlflow, minio)' --timeout=200s
kube apply -f - <<POD
apiVersion: v1
kind: Pod
metadata: {name: volume}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: volume
      image: $image
      imagePullPolicy: IfNotPresent
      command: [sleep, infinity]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: minio}}]
POD
kube wait --for=condition=Ready pod/volume --timeout=120s
