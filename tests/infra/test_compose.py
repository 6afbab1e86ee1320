"""Checks of the Compose stack that do not start it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.config import ROOT

INFRA = ROOT / "infra"
ONE_SHOT = {"minio-volume", "minio-bucket", "mlflow-migrate"}


def tool(name: str) -> str:
    """Return a tool's path; without it the test is skipped, or fails in CI."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: pip install -r requirements-infra.txt")
        pytest.skip(f"{name} is not installed (requirements-infra.txt)")
    return path


@pytest.fixture(scope="module")
def secrets(tmp_path_factory) -> Path:
    """Return an .env written by the stack's own script, apart from the user's."""
    folder = tmp_path_factory.mktemp("infra") / "k8s"
    folder.mkdir()
    shutil.copy(INFRA / "k8s" / "make_secrets.py", folder)
    subprocess.run([sys.executable, folder / "make_secrets.py", "compose"], check=True, capture_output=True)
    return folder.parent / ".env"


def config(env_file: Path | str) -> subprocess.CompletedProcess:
    command = [tool("docker-compose"), "--env-file", str(env_file), "-f", str(INFRA / "docker-compose.yml")]
    command += ["--profile", "*"]
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run([*command, "config", "--format", "json"], capture_output=True, text=True, env=clean)


@pytest.fixture(scope="module")
def stack(secrets) -> dict:
    done = config(secrets)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_compose_refuses_to_start_without_secrets():
    done = config("/dev/null")
    assert done.returncode != 0
    assert "run make up, it makes infra/.env" in done.stderr


def test_secrets_are_strong_private_and_never_overwritten(secrets):
    text = secrets.read_text()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    passwords = re.findall(r"^\w*(?:PASSWORD|SECRET|TOKEN)\w*=(.*)$", text, re.MULTILINE)
    assert len(passwords) == len(set(passwords)) == 7
    assert min(map(len, passwords)) >= 24
    script = secrets.parent / "k8s" / "make_secrets.py"
    subprocess.run([sys.executable, script, "compose"], check=True, capture_output=True)
    assert secrets.read_text() == text


def test_secrets_come_from_the_file_and_not_from_the_shell(secrets):
    names = [line.split("=", 1)[0] for line in secrets.read_text().splitlines()]
    names += ["MLFLOW_S3_ENDPOINT_URL", "MLFLOW_ARTIFACTS_DESTINATION", "AWS_DEFAULT_REGION"]
    names += ["CHURN_TABLE"]  # a path of the host
    shell = os.environ | dict.fromkeys(names, "of another server")
    command = ["make", "-s", "-o", "infra/.env", "down", "COMPOSE=sh -c env"]
    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
    assert "PATH=" in done.stdout
    assert "of another server" not in done.stdout


def test_no_secret_is_in_the_compose_file():
    lines = (INFRA / "docker-compose.yml").read_text().splitlines()
    for line in lines:
        if re.search(r"(PASSWORD|SECRET\w*|TOKEN|ACCESS_KEY\w*): ", line):
            assert re.search(r": \$\{\w+:\?[^}]+\}$", line), line


def test_images_are_pinned_and_built_once(stack):
    built = []
    for name, service in stack["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert tag != "latest" and "/" not in tag and tag != service["image"], f"{name}: {service['image']}"
        if "build" in service:
            built.append(service["image"])
            assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", service["build"]["args"]["PYTHON_IMAGE"])
    assert len(built) == len(set(built)) == 2


def test_ports_are_published_on_loopback_only(stack):
    published = [port for service in stack["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    assert {port["published"] for port in published} == {"5000", "8080", "8888", "9000", "9001"}
    assert not {"postgres", "monitor"} & {name for name, s in stack["services"].items() if "ports" in s}
    assert stack["networks"]["back"]["internal"] is True
    assert list(stack["services"]["postgres"]["networks"]) == ["back"]


def test_every_container_is_hardened(stack):
    for name, service in stack["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in ("", "0", "root"), name
        assert int(service["mem_limit"]) > 0 and service["cpus"] > 0 and service["pids_limit"] > 0, name
        assert service["logging"]["options"]["max-size"] == "10m", name
        assert "cap_add" not in service and "privileged" not in service, name


def test_services_start_when_their_dependencies_are_healthy(stack):
    conditions = {
        (name, needed): need["condition"]
        for name, service in stack["services"].items()
        for needed, need in service.get("depends_on", {}).items()
    }
    assert conditions["mlflow", "mlflow-migrate"] == "service_completed_successfully"
    assert conditions["mlflow", "minio-bucket"] == "service_completed_successfully"
    assert conditions["mlflow-migrate", "postgres"] == "service_healthy"
    assert conditions["minio-bucket", "minio"] == "service_healthy"
    for client in ("jupyter", "serve", "monitor"):
        assert conditions[client, "mlflow"] == "service_healthy"
    for name, service in stack["services"].items():
        if name in ONE_SHOT:
            assert service["restart"].startswith("on-failure"), name
        else:
            assert service["restart"] == "unless-stopped", name
            assert ("healthcheck" in service) == (name != "monitor"), name


def test_clients_have_no_credentials_of_the_stores(stack):
    services = stack["services"].items()
    holders = {name for name, s in services if "MINIO_ROOT_PASSWORD" in s.get("environment", {})}
    assert holders == {"minio", "minio-bucket"}
    for client in ("jupyter", "serve", "monitor"):
        names = stack["services"][client]["environment"].keys()
        assert not {"AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "MLFLOW_AUTH_ADMIN_PASSWORD"} & names, client


def test_every_client_has_the_table_of_the_file(stack, secrets, tmp_path):
    def tables(compose: dict) -> dict[str, str]:
        return {
            name: service["environment"]["CHURN_TABLE"]
            for name, service in compose["services"].items()
            if "CHURN_TABLE" in service.get("environment", {})
        }

    assert tables(stack) == dict.fromkeys(("jupyter", "serve", "monitor"), "")  # the bank's
    table = "data/telecom_churn.yaml"
    (tmp_path / ".env").write_text(f"{secrets.read_text()}CHURN_TABLE={table}\n")
    done = config(tmp_path / ".env")
    assert set(tables(json.loads(done.stdout)).values()) == {table}
    # The path is one in the image, from its working folder.
    assert (ROOT / table).is_file()
    assert "!data" in (ROOT / ".dockerignore").read_text().splitlines()
    dockerfile = (INFRA / "docker" / "notebooks" / "Dockerfile").read_text()
    assert dockerfile.index("WORKDIR /app") < dockerfile.index("COPY --chown=1000:1000 . .")


def test_monitor_and_jupyterlab_share_volumes(stack):
    def mounts(service: str) -> dict[str, tuple[str, bool]]:
        volumes = stack["services"][service]["volumes"]
        return {m["source"]: (m["target"], m.get("read_only", False)) for m in volumes}

    assert mounts("monitor") == {"batches": ("/batches", True), "retrain": ("/retrain", False)}
    assert (
        mounts("jupyter").items()
        >= {
            "batches": ("/app/batches", False),
            "retrain": ("/retrain", True),  # the same path: a training records it for its table
        }.items()
    )


def test_mlflow_checks_hosts_origins_and_logins(stack):
    mlflow = stack["services"]["mlflow"]
    assert "basic-auth" in mlflow["command"]
    for name in ("MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"):
        assert "*" not in mlflow["environment"][name].split(","), name


@pytest.mark.parametrize("image", ["mlflow", "notebooks"])
def test_dockerfiles_pass_hadolint(image):
    done = subprocess.run(
        [tool("hadolint"), str(INFRA / "docker" / image / "Dockerfile")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_server_image_has_the_projects_versions():
    pins = dict(
        re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )
    server = (INFRA / "docker" / "mlflow" / "requirements.txt").read_text()
    for name in ("mlflow", "psycopg2-binary", "boto3"):
        assert re.search(rf"^{name}(\[\w+\])?=={re.escape(pins[name])}$", server, re.MULTILINE), name
