"""Every fixed choice of the project in one place: the table, seeds, names."""

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

# The table's columns. Identifiers never reach a model.
IDENTIFIERS = ["RowNumber", "CustomerId", "Surname"]
NUMERIC = ["CreditScore", "Age", "Tenure", "Balance", "NumOfProducts", "EstimatedSalary"]
CATEGORICAL = ["Geography", "Gender"]
BINARY = ["HasCrCard", "IsActiveMember"]
FEATURES = NUMERIC + CATEGORICAL + BINARY
TARGET = "Exited"
COLUMNS = ["RowNumber", "CustomerId", "Surname", "CreditScore", "Geography", "Gender", "Age", "Tenure"]
COLUMNS += ["Balance", "NumOfProducts", "HasCrCard", "IsActiveMember", "EstimatedSalary", TARGET]

# What is plausible: closed ranges in the table's units, categories, codes.
RANGES: dict[str, tuple[float, float]] = {
    "CreditScore": (300, 900),  # points
    "Age": (18, 100),  # years
    "Tenure": (0, 60),  # years with the bank
    "Balance": (0, 1e8),  # euros
    "EstimatedSalary": (0, 1e8),  # euros a year
}
CHOICES: dict[str, list[int] | list[str]] = {
    "NumOfProducts": [1, 2, 3, 4],
    "Geography": ["France", "Germany", "Spain"],
    "Gender": ["Female", "Male"],
    "HasCrCard": [0, 1],
    "IsActiveMember": [0, 1],
    TARGET: [0, 1],
}

EMBEDDED_DATA = ROOT / "data" / "bank_churn.csv"
NEW_CUSTOMERS = ROOT / "data" / "new_customers.csv"

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


# MLflow: names that people and programs look for.
EXPERIMENT = "EXP_Churn_Prediction_Modelling"
PRODUCTION_MODEL = "churn"
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


def registered_name(algorithm: str) -> str:
    """Return the registered model's name of an algorithm, e.g. ``churn-knn``."""
    return f"{PRODUCTION_MODEL}-{algorithm}"
