"""Every fixed choice of the project in one place: columns, seeds, names."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The table. Identifiers never reach a model.
IDENTIFIERS = ["RowNumber", "CustomerId", "Surname"]
NUMERIC = ["CreditScore", "Age", "Tenure", "Balance", "NumOfProducts", "EstimatedSalary"]
CATEGORICAL = ["Geography", "Gender"]
BINARY = ["HasCrCard", "IsActiveMember"]
FEATURES = NUMERIC + CATEGORICAL + BINARY
TARGET = "Exited"
EMBEDDED_DATA = ROOT / "data" / "bank_churn.csv"
NEW_CUSTOMERS = ROOT / "data" / "new_customers.csv"

# The protocol: one hold-out, five folds, one seed.
SEED = 42
FOLDS = 5
TEST_SIZE = 0.2
SCORES = ["f1", "accuracy", "roc_auc"]
SELECT_BY = "f1"

# MLflow: names that people and programs look for.
EXPERIMENT = "EXP_Churn_Prediction_Modelling"
PRODUCTION_MODEL = "churn"
STAGING, PRODUCTION, ARCHIVED = "staging", "production", "archived"


def registered_name(algorithm: str) -> str:
    """Return the registered model's name of an algorithm, e.g. ``churn-knn``."""
    return f"{PRODUCTION_MODEL}-{algorithm}"
