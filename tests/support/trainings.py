"""A training as a user starts it, by papermill."""

import sys
from pathlib import Path


def training(copy: Path, model: str, **parameters: str) -> list[str]:
    """Return the command; run it in the project's folder."""
    command = [sys.executable, "-m", "papermill", "notebooks/03_train.ipynb", str(copy), "--no-progress-bar"]
    # Papermill's minute is too little for a kernel that starts beside seven others on two cores.
    command += ["--start-timeout", "300"]
    for name, value in {"model": model, **parameters}.items():
        command += ["-p", name, value]
    return command
