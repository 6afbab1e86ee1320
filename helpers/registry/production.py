"""The live model: what ``models:/churn@production`` holds, and the rule that makes a score a decision."""

from dataclasses import dataclass

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from sklearn.pipeline import Pipeline

from helpers.config import FEATURES, PRODUCTION, PRODUCTION_MODEL
from helpers.data import rows_are
from helpers.errors import DataError, RegistryError
from helpers.registry.stages import load_version, production_version
from helpers.training import PREPARE

CONTACT, SKIP = "contact", "skip"


@dataclass(frozen=True)
class ProductionModel:
    """A version that was live when it was loaded.

    Attributes
    ----------
    pipeline : Pipeline
        Fitted.
    version : int
        Of the registered model ``churn``.
    threshold : float
        Customers from this probability on are contacted; chosen in the training, on out-of-fold scores.
    run_id : str
        The model run that trained it.
    data_sha256 : str
        Fingerprint of the table it was trained on.
    """

    pipeline: Pipeline
    version: int
    threshold: float
    run_id: str
    data_sha256: str

    def score(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        customers : DataFrame of shape (n_customers, n_columns)
            Validated; with the feature columns, others are ignored.

        Returns
        -------
        DataFrame of shape (n_customers, 3)
            Same index; ``probability`` of leaving (float64), ``decision`` (``contact`` or ``skip``) and
            ``model_version`` (int64).

        Raises
        ------
        DataError
            If a customer has a category that the model never saw: the schema allows more than a table may
            have had.
        """
        self._refuse_unseen(customers)
        probability = self.pipeline.predict_proba(customers[FEATURES])[:, 1]
        scores = pd.DataFrame({"probability": probability}, index=customers.index)
        scores["decision"] = scores["probability"].ge(self.threshold).map({True: CONTACT, False: SKIP})
        return scores.assign(model_version=self.version)

    def _refuse_unseen(self, customers: pd.DataFrame) -> None:
        found = []
        for column, seen in _categories(self.pipeline).items():
            unseen = customers[column][~customers[column].isin(seen)]
            if len(unseen):
                found.append(
                    f"{column}: {rows_are(len(unseen))} {', '.join(sorted(map(str, unseen.unique())))}, and "
                    f"version {self.version} was trained on {', '.join(map(str, seen))} only. Leave the rows "
                    "out, or train with such customers."
                )
        if found:
            raise DataError("\n  - ".join(["the live model can't score these customers:", *found]))


def _categories(pipeline: Pipeline) -> dict[str, list]:
    """Return the categories that a fitted pipeline's encoder knows, by column."""
    steps = pipeline.named_steps[PREPARE].named_transformers_ if PREPARE in pipeline.named_steps else {}
    if "encode" not in steps:
        return {}
    known = zip(steps["encode"].feature_names_in_, steps["encode"].categories_, strict=True)
    return {name: list(categories) for name, categories in known}


def require_production_version(client: MlflowClient) -> ModelVersion:
    """Return the live version, without loading its model.

    Raises
    ------
    RegistryError
        If nothing is live yet, or the version holds no decision threshold.
    """
    version = production_version(client)
    if version is None:
        raise RegistryError(
            f"nothing is live: {PRODUCTION_MODEL!r} has no {PRODUCTION} version yet. Train and promote one "
            "first: make run, or notebooks 03 and 04."
        )
    if "decision_threshold" not in version.tags:
        raise RegistryError(
            f"{PRODUCTION_MODEL} version {version.version} has no decision_threshold: train again with "
            "notebooks/03_train.ipynb and promote that version"
        )
    return version


def load_production_model(client: MlflowClient) -> ProductionModel:
    """Load the live version, its weights checked against the registered digest.

    Raises
    ------
    RegistryError
        As `live_version`, or if the model can't be loaded.
    """
    version = require_production_version(client)
    return ProductionModel(
        pipeline=load_version(client, PRODUCTION_MODEL, version.version),
        version=int(version.version),
        threshold=float(version.tags["decision_threshold"]),
        run_id=version.run_id,
        data_sha256=version.tags.get("data_sha256", ""),
    )
