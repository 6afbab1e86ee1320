"""What the description in use demands of a table: types, ranges and categories; where its rows are."""

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype, is_numeric_dtype

from helpers.table import TableDescription, current_table

ROW = "row"  # see places


def places(index: pd.Index) -> pd.Index:
    """Return the places of rows in their file: the numbers of lines, or of rows where there are no lines."""
    if index.name == ROW:
        return index
    return (index + 2 if is_integer_dtype(index) else pd.RangeIndex(2, len(index) + 2)).rename("line")


def codes(outcome: pd.Series, described: TableDescription) -> pd.Series:
    """Return the outcome as 0 and 1 where the file has other values for them; no other value is a number."""
    if described.target.is_coded:
        return outcome
    numbers = {described.target.negative.value: 0, described.target.positive.value: 1}
    return outcome.map(lambda value: numbers.get(str(value), "neither"), na_action="ignore")


def as_text(identifiers: pd.Series) -> pd.Series:
    """Return identifiers as text; whole numbers without a point, however pandas has read them."""
    if is_float_dtype(identifiers) and (identifiers.dropna() % 1 == 0).all():
        identifiers = identifiers.astype("Int64")  # where one is missing, pandas reads all as decimals
    return identifiers.astype("str")


def as_floats(values: pd.Series, is_quantity: bool) -> pd.Series:
    """Return values as float64, missing where they are no numbers; True is 1, but no quantity."""
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        return values.astype("float64")
    values = values.astype(object)
    if is_quantity:
        is_bool = values.map(lambda value: isinstance(value, bool | np.bool_)).astype(bool)
        values = values.mask(is_bool, None)
    return pd.to_numeric(values, errors="coerce").astype("float64")


def schema(target: bool) -> pa.DataFrameSchema:
    """Return pandera's schema of a part; types are cast before, as pandera is slow at it."""
    described = current_table()
    required = {*described.feature_names, *([described.target_name] if target else [])}

    def column(name: str) -> pa.Column:
        choices, bounds = described.choices(name), described.bounds(name)
        check = pa.Check.in_range(*bounds) if bounds else pa.Check.isin(choices) if choices else None
        return pa.Column(
            None,
            check,
            nullable=_may_be_missing(name, described, target),
            required=name in required,
        )

    return pa.DataFrameSchema({name: column(name) for name in described.columns})


def _may_be_missing(name: str, described: TableDescription, target: bool) -> bool:
    if name in described.features:
        return described.features[name].missing is not None
    return name != described.key and (name != described.target_name or not target)
