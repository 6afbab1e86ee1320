"""Every fixed choice of the project in one place: seeds, folds, names."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.model_selection import StratifiedKFold


def _project_root() -> Path:
    """Return the folder of notebooks and data: the checkout around this package or the current folder."""
    for folder in (Path(__file__).resolve().parent.parent, Path.cwd(), *Path.cwd().parents):
        if (folder / "notebooks" / "01_eda.ipynb").is_file():
            return folder
    return Path.cwd()


ROOT = _project_root()
OUTPUTS = ROOT / "outputs"

# The protocol: one hold-out, five folds, one seed.
SEED = 42
FOLDS = 5
TEST_SIZE = 0.2
SCORES = ["f1", "accuracy", "roc_auc"]
SELECT_BY = "f1"


def folds() -> "StratifiedKFold":
    """Return the cross-validator of every training: five stratified folds, shuffled with `SEED`."""
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


# MLflow: names that people and programs look for; the experiment's and the models' come from the table.
STAGING, PRODUCTION, ARCHIVED = "staging", "production", "archived"
DECISION_THRESHOLD = "decision_threshold"  # metric of a model run, tag of a version

# Their versions are pinned in every logged model and recorded on every run.
PACKAGES = ("mlflow", "scikit-learn", "skops", "pandas", "numpy", "scipy")


# What MLflow reads from the environment, unless the user has set it: no telemetry, only errors in notebooks'
# outputs, no two lines per run of a server's addresses, no bar per download.
MLFLOW_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def set_mlflow_defaults() -> None:
    """Set `MLFLOW_DEFAULTS` for this process and its children: notebook kernels, servers, the UI.

    Also adds `LOOPBACK` to ``NO_PROXY``: no request to this machine goes through a company's proxy. The
    command line calls it before it imports MLflow; everything else gets it from ``tracking.connect``.
    """
    for name, value in MLFLOW_DEFAULTS.items():
        os.environ.setdefault(name, value)
    # Libraries read one of the two, most of them the lower case first: what only one has would be lost.
    user = ",".join(filter(None, dict.fromkeys(os.environ.get(name) for name in ("no_proxy", "NO_PROXY"))))
    hosts = [host.strip() for host in user.split(",") if host.strip()]
    if "*" not in hosts:
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))
