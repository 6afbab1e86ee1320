"""Compose and Kubernetes are one stack: images, commands, ports, settings and limits can't drift apart."""

import re

import pytest
import yaml

from helpers.config import ROOT
from tests.infra.kubernetes import policies as k8s

# Names of one's own: those under which a browser comes belong to the overlay with its Ingress, and the model
# server exists always on Kubernetes, by profile only in compose.
NAMES = {
    "CHURN_SERVE_URL",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    "MINIO_BROWSER_REDIRECT_URL",
}
# What Kubernetes has beside compose, with the reason.
ARGUMENTS_BESIDE = {
    "postgres": ["postgres", "-c", "max_connections=300"],  # several replicas of MLflow ask it
}
# What compose has beside Kubernetes, with the reason.
COMPOSE_ARGUMENTS_BESIDE = {
    "monitor": ["--every", "86400"],  # looks again by itself; here the CronJob starts it every night
}
# Volumes that are called otherwise on Kubernetes.
CLAIMS = {"notebooks": "jupyter", "./k8s/base/scripts": "scripts"}
# Volumes that belong to the pod on Kubernetes: nothing in them is kept.
SCRATCH = {"uploads"}
# Mounts that may be written to on Kubernetes only, with the reason.
WRITABLE_BESIDE = {
    ("jupyter", "/retrain"),  # compose copies a table there through `monitor`, which is no pod by day here
}


def settled(text: str) -> str:
    """Return a compose value as it is when nothing is set: defaults taken, secrets as ``<secret>``."""
    text = re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", str(text))
    return re.sub(r"\$\{[A-Z0-9_]+:\?[^}]*\}", "<secret>", text).replace("$$", "$")


SERVICES = yaml.safe_load((ROOT / "infra" / "docker-compose.yml").read_text())["services"]
# Gives a new volume to the server's user; Kubernetes does it by fsGroup.
COMPOSE = {name: service for name, service in SERVICES.items() if name != "minio-volume"}


def twin(objects: list[dict], service: str) -> tuple[dict, dict]:
    """Return the workload of a compose service's name, and the container in it that does the work."""
    workload = next(w for w in k8s.pods(objects) if w["metadata"]["name"] == service)
    return workload, k8s.template(workload)["spec"]["containers"][0]


def test_every_service_has_its_twin(objects):
    workloads = {w["metadata"]["name"] for w in k8s.pods(objects)}
    assert set(COMPOSE) <= workloads
    # Beside them: the trainings, and the image kept on every node.
    assert workloads - set(COMPOSE) == {"train", "prepull"}


@pytest.mark.parametrize("service", COMPOSE)
def test_image(objects, service):
    assert twin(objects, service)[1]["image"] == settled(COMPOSE[service]["image"])


@pytest.mark.parametrize("service", COMPOSE)
def test_settings(objects, service):
    ours = k8s.environment(objects, twin(objects, service)[1])
    theirs = {key: settled(value) for key, value in COMPOSE[service]["environment"].items()}
    assert ours.keys() == theirs.keys()
    assert {k: ours[k] for k in ours.keys() - NAMES} == {k: theirs[k] for k in theirs.keys() - NAMES}


@pytest.mark.parametrize("service", COMPOSE)
def test_command(objects, service):
    container, compose = twin(objects, service)[1], COMPOSE[service]
    command = compose.get("command", [])
    command = settled(command).split() if isinstance(command, str) else [settled(word) for word in command]
    ours = container.get("command", []) + container.get("args", [])
    theirs = compose.get("entrypoint", []) + command
    assert ours + COMPOSE_ARGUMENTS_BESIDE.get(service, []) == theirs + ARGUMENTS_BESIDE.get(service, [])


@pytest.mark.parametrize("service", COMPOSE)
def test_ports(objects, service):
    published = {int(settled(port).rsplit(":", 1)[1]) for port in COMPOSE[service].get("ports", [])}
    found = k8s.named(objects, "Service", service)
    served = {port["port"] for port in found["spec"]["ports"]} if found else set()
    assert published <= served
    assert served <= set(k8s.port_numbers(twin(objects, service)[0]).values())


@pytest.mark.parametrize("service", COMPOSE)
def test_limits_and_user(objects, service):
    workload, container = twin(objects, service)
    limits = container["resources"]["limits"]
    assert limits["memory"] == COMPOSE[service]["mem_limit"].upper() + "i"
    assert limits["cpu"] == str(COMPOSE[service]["cpus"])
    pod = k8s.template(workload)["spec"]["securityContext"]
    assert f"{pod['runAsUser']}:{pod['runAsGroup']}" == settled(COMPOSE[service]["user"])


@pytest.mark.parametrize("service", COMPOSE)
def test_volumes(objects, service):
    workload, container = twin(objects, service)
    stored = {v["name"]: v for v in k8s.template(workload)["spec"].get("volumes", [])}
    ours, scratch = set(), {}
    for mount in container["volumeMounts"]:
        path, writable = mount["mountPath"], not mount.get("readOnly")
        # A volumeClaimTemplate is no volume of the pod template; its claim belongs to the StatefulSet.
        volume = stored.get(mount["name"], {"persistentVolumeClaim": {"claimName": service}})
        if "emptyDir" in volume:
            scratch[path] = volume["emptyDir"]["sizeLimit"]
        elif "configMap" in volume:  # without the hash; nothing there can be written, whatever it says
            ours.add((volume["configMap"]["name"].rpartition("-")[0], path, writable))
        else:
            ours.add((volume["persistentVolumeClaim"]["claimName"], path, writable))

    compose, theirs = COMPOSE[service], set()
    passing = {entry.split(":")[0] for entry in compose["tmpfs"]}
    for entry in compose.get("volumes", []):
        name, path, *mode = entry.split(":")
        writable = mode != ["ro"] or (service, path) in WRITABLE_BESIDE
        if name in SCRATCH:
            passing.add(path)
        else:
            theirs.add((CLAIMS.get(name, name), path, writable))
    assert ours == theirs
    if "shm_size" in compose:
        assert scratch.pop("/dev/shm") == compose["shm_size"].upper() + "i"
    assert scratch.keys() == passing


def test_grace(objects):
    """A pod has at least the time that compose gives a container, beside what its preStop sleeps."""
    for service, compose in COMPOSE.items():
        workload, container = twin(objects, service)
        grace = k8s.template(workload)["spec"].get("terminationGracePeriodSeconds", 30)
        grace -= container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        number, unit = re.fullmatch(r"(\d+)([ms])", compose.get("stop_grace_period", "10s")).groups()
        assert grace >= int(number) * {"m": 60, "s": 1}[unit], service


def test_mlflow_is_asked_the_same(objects):
    probe = twin(objects, "mlflow")[1]["readinessProbe"]["exec"]["command"]
    assert COMPOSE["mlflow"]["healthcheck"]["test"] == ["CMD", *probe]
