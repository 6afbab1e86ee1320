"""The Kubernetes manifests without a cluster: they build, are valid, and every reference in them holds."""

import copy
import subprocess

import pytest
import yaml

from helpers.errors import ExitCode
from tests.infra.kubernetes import policies as k8s

# Kubernetes supports three minor versions: the oldest and the newest of November 2026.
SUPPORTED = ["1.35", "1.37"]


def test_overlay_violates_no_policy(objects):
    assert k8s.problems(objects) == []


@pytest.mark.parametrize("version", SUPPORTED)
def test_objects_match_the_schemas(objects, version):
    validate = pytest.importorskip("kubernetes_validate").validate
    for o in objects:
        validate(o, version, strict=True)  # also raises for an unknown kind or version


def test_build_needs_secrets(tmp_path, built):
    folder = k8s.copy_manifests(tmp_path)
    result = subprocess.run(
        [k8s.KUBECTL, "kustomize", folder / "overlays/single-node"], capture_output=True, text=True
    )
    assert result.returncode != 0
    assert "secrets.env" in result.stderr


def get(objects: list[dict], kind: str, name: str) -> dict:
    return k8s.named(objects, kind, name)


def claims(workload: dict) -> dict[str, str]:
    """Return the claim mounted at each path."""
    spec = k8s.template(workload)["spec"]
    mounted = {m["name"]: m["mountPath"] for m in spec["containers"][0]["volumeMounts"]}
    volumes = [v for v in spec["volumes"] if "persistentVolumeClaim" in v]
    return {mounted[v["name"]]: v["persistentVolumeClaim"]["claimName"] for v in volumes}


def test_retraining_tables_persist_at_the_path_that_trainings_record(objects):
    monitor = claims(get(objects, "CronJob", "monitor"))
    jupyter = claims(get(objects, "Deployment", "jupyter"))
    assert monitor["/retrain"] == jupyter["/retrain"]
    assert monitor["/batches"] == jupyter["/app/batches"]


def test_monitoring_is_not_retried_when_a_retry_cannot_help(objects):
    job = get(objects, "CronJob", "monitor")["spec"]["jobTemplate"]["spec"]
    (rule,) = [r for r in job["podFailurePolicy"]["rules"] if r["action"] == "FailJob"]
    assert rule["onExitCodes"]["values"] == [ExitCode.USAGE, ExitCode.LABELS_MISSING, ExitCode.BUSY]
    assert job["backoffLimit"] >= 1  # a server that was down is tried again


def change(path: str, value) -> object:
    """Return a change of one field: ``Kind/name: dotted.path``; the value ``...`` deletes it."""
    target, keys = path.split(": ")

    def apply(objects: list[dict]) -> None:
        at = get(objects, *target.split("/"))
        *way, last = [int(k) if k.isdigit() else k.replace("~", ".") for k in keys.split(".")]
        for key in way:
            at = at[key]
        if value is ...:
            del at[last]
        else:
            at[last] = value

    return apply


def without(kind: str, name: str):
    """Return a change that removes one object."""
    return lambda objects: objects.remove(get(objects, kind, name))


CONTAINER = "Deployment/mlflow: spec.template.spec.containers.0."
BROKEN = {
    "service without pods": (
        change("Service/mlflow: spec.selector.app~kubernetes~io/name", "mlfow"),
        "selects the pods of 0",
    ),
    "service at a wrong port": (
        change("Service/serve: spec.ports.0.targetPort", "htp"),
        "has no port htp = 8080",
    ),
    "workload selects others": (
        change("Deployment/minio: spec.selector.matchLabels", {"app.kubernetes.io/part-of": "bank-churn"}),
        "also selects the pods of",
    ),
    "budget of nothing": (
        change("PodDisruptionBudget/serve: spec.selector.matchLabels.app~kubernetes~io/name", "server"),
        "selects no pods",
    ),
    "autoscaler of nothing": (
        change("HorizontalPodAutoscaler/serve: spec.scaleTargetRef.name", "server"),
        "Deployment/server does not exist",
    ),
    "autoscaler against replicas": (
        change("Deployment/serve: spec.replicas", 2),
        "each apply would reset them",
    ),
    "no headless service": (change("Service/postgres: spec.clusterIP", ...), "no headless Service postgres"),
    "no account": (without("ServiceAccount", "stack"), "no ServiceAccount stack"),
    "no claim": (without("PersistentVolumeClaim", "minio"), "no PersistentVolumeClaim minio"),
    "no volume": (change(CONTAINER + "volumeMounts.0.name", "script"), "no volume script"),
    "volume not mounted": (
        change("Deployment/jupyter: spec.template.spec.containers.0.volumeMounts", []),
        "volume tmp is not mounted",
    ),
    "script not mounted": (
        change(CONTAINER + "volumeMounts.0.mountPath", "/script"),
        "/scripts/ready.py is not mounted",
    ),
    "no key in the secret": (
        change(CONTAINER + "env.0.valueFrom.secretKeyRef.key", "PGPASS"),
        "no key PGPASS",
    ),
    "no such script": (
        change(CONTAINER + "readinessProbe.exec.command.1", "/scripts/raedy.py"),
        "raedy.py is not in ConfigMap",
    ),
    "probe at a wrong port": (
        change(CONTAINER + "livenessProbe.httpGet.port", "web"),
        "uses the unknown port web",
    ),
    "ingress without class": (change("Ingress/mlflow: spec.ingressClassName", ...), "has no class"),
    "ingress to a wrong port": (
        change("Ingress/mlflow: spec.rules.0.http.paths.0.backend.service.port.name", "web"),
        "no port web of Service mlflow",
    ),
    "host that MLflow refuses": (
        change("Ingress/mlflow: spec.rules.0.host", "runs.example.com"),
        "403 for the Ingress host",
    ),
    "no tls secret": (
        change("Ingress/mlflow: spec.tls", [{"secretName": "gone", "hosts": []}]),
        "no Secret gone",
    ),
    "retired controller": (
        change("Ingress/mlflow: metadata.annotations", {"nginx.ingress.kubernetes.io/proxy-body-size": "0"}),
        "which is retired",
    ),
    "no default deny": (without("NetworkPolicy", "default-deny"), "no policy denies by default"),
    "needed connection denied": (
        without("NetworkPolicy", "postgres-clients"),
        "mlflow needs postgres:5432, no egress",
    ),
    "needed connection denied at the server": (
        without("NetworkPolicy", "minio"),
        "mlflow needs minio:9000, no ingress",
    ),
    "unneeded connection allowed": (
        change(
            "CronJob/train: spec.jobTemplate.spec.template.metadata.labels.access~bank-churn/postgres", "true"
        ),
        "train may reach postgres:5432 (egress) and does not need it",
    ),
    "wrong port open": (
        change("NetworkPolicy/mlflow: spec.ingress.0.ports.0.port", 5001),
        "may reach mlflow:5001",
    ),
    "no names": (without("NetworkPolicy", "dns"), "cannot resolve names"),
    "way out": (
        change("NetworkPolicy/dns: spec.egress.0.to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
        "a way out of the cluster",
    ),
    "no challenges": (
        change("Ingress/mlflow: metadata.annotations", {"cert-manager.io/cluster-issuer": "letsencrypt"}),
        "the issuer's challenges are blocked",
    ),
    "ingress blocked": (
        without("NetworkPolicy", "ingress-controller"),
        "the Ingress to mlflow:5000 is blocked",
    ),
    "database open to others": (
        change(
            "NetworkPolicy/ingress-controller: spec.podSelector.matchExpressions.0.values",
            ["mlflow", "minio", "serve"],
        ),
        "other namespaces may reach serve:8080",
    ),
    "open to the world": (
        change("NetworkPolicy/mlflow: spec.ingress.0.from", ...),
        "does not restrict peer or port",
    ),
    "no label": (
        change("Service/mlflow: metadata.labels.app~kubernetes~io/component", ...),
        "lacks the labels",
    ),
    "token": (
        change("Deployment/mlflow: spec.template.spec.automountServiceAccountToken", ...),
        "gets a service account token",
    ),
    "service links": (
        change("Deployment/mlflow: spec.template.spec.enableServiceLinks", True),
        "MLFLOW_PORT",
    ),
    "root": (
        change("StatefulSet/postgres: spec.template.spec.securityContext.runAsUser", 0),
        "may run as root",
    ),
    "no seccomp": (
        change("DaemonSet/prepull: spec.template.spec.securityContext.seccompProfile", ...),
        "no seccomp profile",
    ),
    "privileges": (change(CONTAINER + "securityContext.allowPrivilegeEscalation", True), "keeps privileges"),
    "writable root": (
        change(CONTAINER + "securityContext.readOnlyRootFilesystem", False),
        "write to its root file system",
    ),
    "always pull": (change(CONTAINER + "imagePullPolicy", "Always"), "loaded by hand"),
    "not pinned": (change(CONTAINER + "image", "bank-churn-mlflow:latest"), "is not pinned"),
    "no limits": (change(CONTAINER + "resources.limits", ...), "has no limits"),
    "no readiness": (change(CONTAINER + "readinessProbe", ...), "has no readinessProbe"),
    "update with a gap": (
        change("Deployment/serve: spec.strategy.rollingUpdate.maxUnavailable", 1),
        "an update would refuse requests",
    ),
    "no grace": (change(CONTAINER + "lifecycle", ...), "a stopping pod would refuse requests"),
    "too little grace": (
        change("Deployment/mlflow: spec.template.spec.terminationGracePeriodSeconds", 30),
        "less than a minute for requests in flight",
    ),
    "all on one node": (
        change("Deployment/mlflow: spec.template.spec.topologySpreadConstraints", ...),
        "not spread over the nodes",
    ),
    "no budget": (without("PodDisruptionBudget", "serve"), "Deployment/serve has no disruption budget"),
    "two writers": (
        change("Deployment/minio: spec.strategy.type", "RollingUpdate"),
        "would share one volume",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_policy_detects_a_violation(built, name):
    """The single-node overlay with one thing broken."""
    objects = copy.deepcopy(list(yaml.safe_load_all(built["single-node"].read_text())))
    mutate, message = BROKEN[name]
    mutate(objects)
    problems = k8s.problems(objects)
    assert any(message in problem for problem in problems), problems
