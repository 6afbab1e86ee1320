"""From a table's columns to the numbers that an estimator sees, as the description says."""

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from helpers.table import current_table

MISSING = "missing"  # the category of a missing value, where the description makes it one
STEPS = {"numeric": "scale", "categorical": "encode", "binary": "keep"}


def make_preprocessing(customers: pd.DataFrame | None = None) -> ColumnTransformer:
    """Return the unfitted preprocessing of the table in use.

    Numeric columns are standard-scaled, categorical ones one-hot encoded, binary ones passed through. Columns
    whose description says so are imputed before, by a step of their own: ``scale_median``, for example. As a
    part of the pipeline it is fitted inside each fold.

    Parameters
    ----------
    customers : DataFrame of shape (n_customers, n_columns), optional
        The whole table: its categories are encoded, also where the rows of a fold have not all of them. Any
        other is an error. Without it, they are those of the rows that the encoder is fitted on.
    """
    described, steps = current_table(), []
    for role, step in STEPS.items():
        names = [name for name in described.feature_names if described.features[name].role == role]
        for missing in dict.fromkeys([None, *(described.features[name].missing for name in names)]):
            columns = [name for name in names if described.features[name].missing == missing]
            if columns:
                suffix = f"_{missing}" if missing else ""
                categories = _categories(customers, columns, missing)
                steps.append((step + suffix, _transformer(role, missing, categories), columns))
    return ColumnTransformer(steps, sparse_threshold=0)


def _transformer(role: str, missing: str | None, categories: str | list[list[str]]) -> BaseEstimator | str:
    if role == "categorical":
        transformer = OneHotEncoder(categories=categories, drop="if_binary")
    else:
        transformer = StandardScaler() if role == "numeric" else "passthrough"
    if missing is None:
        return transformer
    constant = {"strategy": "constant", "fill_value": MISSING}
    imputer = SimpleImputer(**(constant if missing == "category" else {"strategy": missing}))
    return imputer if transformer == "passthrough" else make_pipeline(imputer, transformer)


def _categories(
    customers: pd.DataFrame | None, columns: list[str], missing: str | None
) -> list[list[str]] | str:
    if customers is None:
        return "auto"
    own = [MISSING] if missing == "category" else []
    return [sorted({*customers[name].dropna(), *own}) for name in columns]
