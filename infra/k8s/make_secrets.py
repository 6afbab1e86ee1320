"""Write the stack's passwords, mode 600, never committed: infra/.env for Compose, an overlay's secrets.env.

    python infra/k8s/make_secrets.py compose
    python infra/k8s/make_secrets.py single-node

An overlay gets the values of infra/.env if that exists, so that a backup of the Compose stack fits; otherwise
new ones. An existing file is kept.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPOSE = HERE.parent / ".env"
NAMES = {"MINIO_ROOT_USER": "root", "AWS_ACCESS_KEY_ID": "mlflow", "MLFLOW_TRACKING_USERNAME": "churn"}
PASSWORDS = [
    "POSTGRES_PASSWORD",
    "MINIO_ROOT_PASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "MLFLOW_FLASK_SERVER_SECRET_KEY",
    "MLFLOW_AUTH_ADMIN_PASSWORD",
    "MLFLOW_TRACKING_PASSWORD",
    "JUPYTER_TOKEN",
]
KEYS = [*NAMES, *PASSWORDS]


def read_env(path: Path) -> dict[str, str]:
    """Return the ``NAME=value`` lines of a file; empty if there is no file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def make(path: Path, compose: dict[str, str]) -> None:
    """Write the file, readable by its owner only."""
    fresh = NAMES | {name: secrets.token_urlsafe(24) for name in PASSWORDS}
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.writelines(f"{key}={compose.get(key, fresh[key])}\n" for key in KEYS)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    overlays = sorted(p.parent.name for p in HERE.glob("overlays/*/kustomization.yaml"))
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("stack", choices=["compose", *overlays])
    stack = cli.parse_args(arguments).stack
    path = COMPOSE if stack == "compose" else HERE / "overlays" / stack / "secrets.env"
    if path.exists():
        print(f"{path} exists and is kept")
        return 0
    shared = read_env(COMPOSE)
    make(path, shared)
    print(f"{path} written {f'from {COMPOSE}' if shared else 'with new secrets'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
