"""Compose and Kubernetes are one stack: images, commands, ports, settings and limits are equal."""

import re

import pytest
import yaml

from helpers.config import ROOT
from tests.infra.kubernetes import policies as k8s

# Settings that differ: a browser's host names belong to the overlay with its Ingress, and the model server
# always exists on Kubernetes, but only by profile in Compose.
DIFFERENT = {
    "CHURN_SERVE_URL",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    "MINIO_BROWSER_REDIRECT_URL",
}
# What only Kubernetes has, with the reason.
KUBERNETES_ARGUMENTS = {
    "postgres": ["postgres", "-c", "max_connections=300"],  # several replicas of MLflow connect to it
}
# What only Compose has, with the reason.
COMPOSE_ARGUMENTS = {
    "monitor": ["--every", "86400"],  # repeats by itself; on Kubernetes the CronJob starts it every night
}
# Volumes with another name on Kubernetes.
CLAIMS = {"notebooks": "jupyter", "./k8s/base/scripts": "scripts"}
# Volumes that belong to the pod on Kubernetes: their content is not kept.
SCRATCH = {"uploads"}
# Mounts that are writable on Kubernetes only, with the reason.
WRITABLE_ON_KUBERNETES = {
    (
        "jupyter",
        "/retrain",
    ),  # Compose copies a table there through `monitor`, which has no permanent pod on Kubernetes
}


def resolved(text: str) -> str:
    """Return a Compose value with nothing set: defaults substituted, secrets as ``<secret>``."""
    text = re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", str(text))
    return re.sub(r"\$\{[A-Z0-9_]+:\?[^}]*\}", "<secret>", text).replace("$$", "$")


SERVICES = yaml.safe_load((ROOT / "infra" / "docker-compose.yml").read_text())["services"]
# It gives a new volume to the server's user; Kubernetes does that by fsGroup.
COMPOSE = {name: service for name, service in SERVICES.items() if name != "minio-volume"}


def twin(objects: list[dict], service: str) -> tuple[dict, dict]:
    """Return the workload with a Compose service's name, and its main container."""
    workload = next(w for w in k8s.pods(objects) if w["metadata"]["name"] == service)
    return workload, k8s.template(workload)["spec"]["containers"][0]


def test_every_service_has_a_workload(objects):
    workloads = {w["metadata"]["name"] for w in k8s.pods(objects)}
    assert set(COMPOSE) <= workloads
    # In addition: the trainings, and the image kept on every node.
    assert workloads - set(COMPOSE) == {"train", "prepull"}


@pytest.mark.parametrize("service", COMPOSE)
def test_images_are_equal(objects, service):
    assert twin(objects, service)[1]["image"] == resolved(COMPOSE[service]["image"])


@pytest.mark.parametrize("service", COMPOSE)
def test_settings_are_equal(objects, service):
    ours = k8s.environment(objects, twin(objects, service)[1])
    theirs = {key: resolved(value) for key, value in COMPOSE[service]["environment"].items()}
    assert ours.keys() == theirs.keys()
    assert {k: ours[k] for k in ours.keys() - DIFFERENT} == {k: theirs[k] for k in theirs.keys() - DIFFERENT}


@pytest.mark.parametrize("workload", ["jupyter", "serve", "train", "monitor"])
def test_the_table_is_chosen_once_for_every_client(objects, workload):
    pod = k8s.template(twin(objects, workload)[0])["spec"]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        if container["name"] != "fill":  # copies files
            assert k8s.environment(objects, container)["CHURN_TABLE"] == ""


@pytest.mark.parametrize("service", COMPOSE)
def test_commands_are_equal(objects, service):
    container, compose = twin(objects, service)[1], COMPOSE[service]
    command = compose.get("command", [])
    command = resolved(command).split() if isinstance(command, str) else [resolved(word) for word in command]
    ours = container.get("command", []) + container.get("args", [])
    theirs = compose.get("entrypoint", []) + command
    assert ours + COMPOSE_ARGUMENTS.get(service, []) == theirs + KUBERNETES_ARGUMENTS.get(service, [])


@pytest.mark.parametrize("service", COMPOSE)
def test_published_ports_are_served(objects, service):
    published = {int(resolved(port).rsplit(":", 1)[1]) for port in COMPOSE[service].get("ports", [])}
    twin_service = k8s.named(objects, "Service", service)
    served = {port["port"] for port in twin_service["spec"]["ports"]} if twin_service else set()
    assert published <= served
    assert served <= set(k8s.port_numbers(twin(objects, service)[0]).values())


@pytest.mark.parametrize("service", COMPOSE)
def test_limits_and_users_are_equal(objects, service):
    workload, container = twin(objects, service)
    limits = container["resources"]["limits"]
    assert limits["memory"] == COMPOSE[service]["mem_limit"].upper() + "i"
    assert limits["cpu"] == str(COMPOSE[service]["cpus"])
    pod = k8s.template(workload)["spec"]["securityContext"]
    assert f"{pod['runAsUser']}:{pod['runAsGroup']}" == resolved(COMPOSE[service]["user"])


@pytest.mark.parametrize("service", COMPOSE)
def test_volumes_are_equal(objects, service):
    workload, container = twin(objects, service)
    stored = {v["name"]: v for v in k8s.template(workload)["spec"].get("volumes", [])}
    ours, scratch = set(), {}
    for mount in container["volumeMounts"]:
        path, writable = mount["mountPath"], not mount.get("readOnly")
        # A volumeClaimTemplate is not in the pod template's volumes: its claim belongs to the StatefulSet.
        volume = stored.get(mount["name"], {"persistentVolumeClaim": {"claimName": service}})
        if "emptyDir" in volume:
            scratch[path] = volume["emptyDir"]["sizeLimit"]
        elif "configMap" in volume:  # without the hash; never writable, whatever the mount says
            ours.add((volume["configMap"]["name"].rpartition("-")[0], path, writable))
        else:
            ours.add((volume["persistentVolumeClaim"]["claimName"], path, writable))

    compose, theirs = COMPOSE[service], set()
    temporary = {entry.split(":")[0] for entry in compose["tmpfs"]}
    for entry in compose.get("volumes", []):
        name, path, *mode = entry.split(":")
        writable = mode != ["ro"] or (service, path) in WRITABLE_ON_KUBERNETES
        if name in SCRATCH:
            temporary.add(path)
        else:
            theirs.add((CLAIMS.get(name, name), path, writable))
    assert ours == theirs
    if "shm_size" in compose:
        assert scratch.pop("/dev/shm") == compose["shm_size"].upper() + "i"
    assert scratch.keys() == temporary


def test_pods_have_the_grace_period_of_their_container(objects):
    """Not counting the time that preStop sleeps."""
    for service, compose in COMPOSE.items():
        workload, container = twin(objects, service)
        grace = k8s.template(workload)["spec"].get("terminationGracePeriodSeconds", 30)
        grace -= container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        number, unit = re.fullmatch(r"(\d+)([ms])", compose.get("stop_grace_period", "10s")).groups()
        assert grace >= int(number) * {"m": 60, "s": 1}[unit], service


def test_mlflow_has_the_same_readiness_check(objects):
    probe = twin(objects, "mlflow")[1]["readinessProbe"]["exec"]["command"]
    assert COMPOSE["mlflow"]["healthcheck"]["test"] == ["CMD", *probe]
