"""The production model: ``models:/churn@production`` and its decision threshold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from helpers.config import DECISION_THRESHOLD, PRODUCTION
from helpers.data import rows_are
from helpers.errors import DataError, RegistryError
from helpers.registry.versions import decision_threshold, load_version, production_version
from helpers.table import current_table
from helpers.tracking import store_address
from helpers.training import PREPARE

CONTACT, SKIP = "contact", "skip"


@dataclass(frozen=True)
class ProductionModel:
    """The version that was in production when it was loaded.

    Attributes
    ----------
    pipeline : Pipeline
        Fitted.
    version : int
        Version of the registered model ``churn``.
    threshold : float
        Customers with probability >= threshold are contacted; chosen on the training's out-of-fold scores.
    run_id : str
        The model run that trained it; empty if it was registered without one.
    data_sha256 : str
        Fingerprint of the table it was trained on.
    """

    pipeline: Pipeline
    version: int
    threshold: float
    run_id: str
    data_sha256: str

    def probability(self, customers: pd.DataFrame) -> np.ndarray:
        """Return the probability of churn of each customer, shape (n_customers,)."""
        # XGBoost's are float32.
        return self.pipeline.predict_proba(customers[current_table().feature_names])[:, 1].astype("float64")

    def score(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        customers : DataFrame of shape (n_customers, n_columns)
            Validated; columns other than the features are ignored.

        Returns
        -------
        DataFrame of shape (n_customers, 3)
            Same index; ``probability`` of churn (float64), ``decision`` (``contact`` or ``skip``) and
            ``model_version`` (int64).

        Raises
        ------
        DataError
            If a category was not in the training table, or a value is missing that the training had no
            imputation for: the description may allow more than the table had.
        """
        self._refuse_unscorable(customers)
        scores = pd.DataFrame({"probability": self.probability(customers)}, index=customers.index)
        scores["decision"] = scores["probability"].ge(self.threshold).map({True: CONTACT, False: SKIP})
        return scores.assign(model_version=self.version)

    def unscorable(self, customers: pd.DataFrame) -> pd.Series:
        """Return by row why the model cannot score it: a value, or a missing one, that it does not know."""
        reasons = [
            _others(customers[column], categories).map(
                lambda value, column=column: f"{column}: version {self.version} was not trained on {value!r}"
            )
            for column, categories in _known_categories(self.pipeline).items()
        ]
        reasons += [
            pd.Series(f"{column}: version {self.version} was not trained on missing values", rows)
            for column, rows in self._missing(customers)
        ]
        return pd.concat([pd.Series(dtype="str"), *reasons]).groupby(level=0).agg("; ".join)

    def _missing(self, customers: pd.DataFrame) -> Iterator[tuple[str, pd.Index]]:
        """Yield the columns that the pipeline does not impute, with the rows that have no value there."""
        for column in _not_imputed(self.pipeline):
            if len(rows := customers.index[customers[column].isna()]):
                yield column, rows

    def _refuse_unscorable(self, customers: pd.DataFrame) -> None:
        problems = []
        for column, categories in _known_categories(self.pipeline).items():
            unknown = _others(customers[column], categories)
            if len(unknown):
                values = ", ".join(sorted(map(str, unknown.unique())))
                problems.append(
                    f"{column}: {rows_are(len(unknown))} {values}, and version {self.version} was trained on "
                    f"{', '.join(map(str, categories))} only. Leave the rows out, or train with such "
                    "customers."
                )
        for column, rows in self._missing(customers):
            problems.append(
                f"{column}: {rows_are(len(rows))} without a value, and version {self.version} was trained "
                "without missing values. Fill in or leave out the rows, or train again."
            )
        if problems:
            raise DataError("\n  - ".join(["the production model cannot score these rows:", *problems]))


def _others(values: pd.Series, categories: list) -> pd.Series:
    """Return the values that are none of the categories; a missing one is imputed, or was refused before."""
    return values[values.notna() & ~values.isin(categories)]


def _steps(pipeline: Pipeline) -> Iterator[tuple[BaseEstimator, list[str]]]:
    """Yield the transformers of a fitted pipeline's preprocessing, with their columns."""
    if PREPARE in pipeline.named_steps:
        for _, transformer, columns in pipeline.named_steps[PREPARE].transformers_:
            yield transformer, list(columns)


def _not_imputed(pipeline: Pipeline) -> list[str]:
    """Return the columns of which a fitted pipeline imputes no missing value."""
    return [
        column
        for transformer, columns in _steps(pipeline)
        if not (isinstance(transformer, Pipeline) and isinstance(transformer[0], SimpleImputer))
        for column in columns
    ]


def _known_categories(pipeline: Pipeline) -> dict[str, list]:
    """Return the categories that a fitted pipeline's encoders were trained on, by column."""
    known: dict[str, list] = {}
    for transformer, columns in _steps(pipeline):
        encoder = transformer[-1] if isinstance(transformer, Pipeline) else transformer
        if isinstance(encoder, OneHotEncoder):
            known |= {name: list(found) for name, found in zip(columns, encoder.categories_, strict=True)}
    return known


def require_production_version(client: MlflowClient) -> ModelVersion:
    """Return the version in production, without loading its model.

    Raises
    ------
    RegistryError
        If nothing is in production yet, or the version has no decision threshold that is a probability.
    """
    version = production_version(client)
    if version is None:
        raise RegistryError(
            f"nothing is in production in {store_address()}: {current_table().name!r} has no {PRODUCTION} "
            "version there yet. Train and promote one first: make run, or notebooks 03 and 04; or set "
            "MLFLOW_TRACKING_URI to the store that has one."
        )
    if decision_threshold(version) is None:
        raise RegistryError(
            f"{current_table().name} version {version.version} has no {DECISION_THRESHOLD} from 0 to 1 "
            f"({version.tags.get(DECISION_THRESHOLD)!r}): train again with notebooks/03_train.ipynb and "
            "promote that version, or roll back"
        )
    return version


def load_production_model(client: MlflowClient) -> ProductionModel:
    """Load the version in production, its files checked against the registered manifest.

    Raises
    ------
    RegistryError
        See `require_production_version`; or if the model cannot be loaded.
    """
    version = require_production_version(client)
    return ProductionModel(
        pipeline=load_version(client, current_table().name, version.version),
        version=int(version.version),
        threshold=float(version.tags[DECISION_THRESHOLD]),
        run_id=version.run_id or "",
        data_sha256=version.tags.get("data_sha256", ""),
    )
