"""What made a run: the commit and the versions of the libraries."""

import subprocess
from functools import cache
from importlib.metadata import version

from helpers.config import ROOT

PACKAGES = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "skops")


@cache
def provenance() -> dict[str, str]:
    """Return tags: ``mlflow.source.git.commit`` where there is one, and ``version.<package>``."""
    tags = {f"version.{name}": version(name) for name in PACKAGES}
    if (commit := _commit()) is not None:
        tags["mlflow.source.git.commit"] = commit
    return tags


def _commit() -> str | None:
    """Return the project's commit; None without git, or outside a checkout (an image, an archive)."""
    if not (ROOT / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
