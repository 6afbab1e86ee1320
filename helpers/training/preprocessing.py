"""From a table's columns to the numbers that an estimator sees, as the description says."""

from collections.abc import Iterable

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from helpers.table import TableDescription, current_table

MISSING = "missing"  # the category of a missing value, where the description makes it one
STEPS = {"numeric": "scale", "categorical": "encode", "binary": "keep"}


def make_preprocessing() -> ColumnTransformer:
    """Return the unfitted preprocessing of the table in use.

    Numeric columns are standard-scaled, categorical ones one-hot encoded, binary ones passed through. Columns
    whose description says so are imputed before, by a step of their own: ``scale_median``, for example. As a
    part of the pipeline it is fitted inside each fold.
    """
    described, steps = current_table(), []
    for role, step in STEPS.items():
        names = [name for name in described.feature_names if described.features[name].role == role]
        for missing in dict.fromkeys([None, *(described.features[name].missing for name in names)]):
            columns = [name for name in names if described.features[name].missing == missing]
            if columns:
                suffix = f"_{missing}" if missing else ""
                steps.append((step + suffix, _transformer(role, missing, columns, described), columns))
    return ColumnTransformer(steps)


def _transformer(
    role: str, missing: str | None, columns: Iterable[str], described: TableDescription
) -> BaseEstimator | Pipeline | str:
    if role == "categorical":
        transformer = OneHotEncoder(drop="if_binary", handle_unknown="ignore")
    else:
        transformer = StandardScaler() if role == "numeric" else "passthrough"
    if missing is None:
        return transformer
    constant = {"strategy": "constant", "fill_value": MISSING}
    imputer = SimpleImputer(**(constant if missing == "category" else {"strategy": missing}))
    return imputer if transformer == "passthrough" else make_pipeline(imputer, transformer)
