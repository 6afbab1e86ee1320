"""Rates of the outcome with intervals, association of features with it, outliers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency, norm

from helpers.table import current_table


def wilson_interval(
    positive: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of Wilson's score interval of a rate (Wilson 1927), valid for small groups too.

    Parameters
    ----------
    positive, n : array of shape (n_groups,)
        Customers with the positive outcome and all customers of each group.
    confidence : float
    """
    z = norm.ppf((1 + confidence) / 2)
    size = np.asarray(n, float)
    rate = np.asarray(positive, float) / size
    center = (rate + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(rate * (1 - rate) / size + z**2 / (4 * size**2))
    # At 0 and 1 the bound is the rate itself, up to rounding.
    return np.minimum(center - half, rate), np.maximum(center + half, rate)


def outcome_rates(df: pd.DataFrame, by: str | pd.Series | Sequence[str | pd.Series]) -> pd.DataFrame:
    """Return the positive outcome's rate in every group, the churn rate for example.

    Parameters
    ----------
    df : DataFrame
        With the target.
    by : str or Series, or list of them
        Columns, or series of groups. An empty list makes all customers one group.

    Returns
    -------
    DataFrame
        One row per group that has customers, those with a missing value included: ``customers``, ``rate`` in
        [0, 1], and the bounds ``low`` and ``high`` of its 95% Wilson interval.
    """
    keys = [by] if isinstance(by, str | pd.Series) else list(by)
    everybody = pd.Series("all", df.index, name="customers")
    outcome = df.groupby(keys or [everybody], observed=True, dropna=False)[current_table().target_name]
    groups = outcome.agg(["size", "mean", "sum"])
    low, high = wilson_interval(groups["sum"], groups["size"])
    return groups.rename(columns={"size": "customers", "mean": "rate"})[["customers", "rate"]].assign(
        low=low, high=high
    )


def feature_strength(df: pd.DataFrame) -> pd.DataFrame:
    """Return each feature's association with the outcome by two measures, strongest first.

    Returns
    -------
    DataFrame
        Index: the features. ``correlation`` with the target (Pearson, absolute; NaN for more than two
        categories) measures linear association only. ``association`` (Cramér's V over categories, values or,
        if there are more than ten values, deciles) measures any shape. Both are from 0 to 1. Missing values
        are a category of a categorical feature; of others they are left out.
    """
    described = current_table()
    outcome = df[described.target_name]
    rows = {}
    for name in described.feature_names:
        numbers, values = df[name], df[name]
        if name in described.categorical:
            codes, kinds = pd.factorize(values, sort=True)
            numbers = pd.Series(codes, df.index).where(values.notna() & (len(kinds) == 2))
            values = values.astype(object).where(values.notna(), "missing")
        elif values.nunique() > 10:
            values = _tenths(values)
        varies = numbers[numbers.notna()].nunique() > 1 and outcome[numbers.notna()].nunique() > 1
        correlation = abs(numbers.corr(outcome)) if varies else np.nan
        rows[name] = {"correlation": correlation, "association": _cramers_v(values, outcome)}
    return pd.DataFrame(rows).T.sort_values("association", ascending=False, kind="stable")


def outliers(df: pd.DataFrame) -> pd.DataFrame:
    """Count, per numeric feature, the customers beyond Tukey's fences (1.5 interquartile ranges).

    Returns
    -------
    DataFrame
        ``low`` and ``high`` (the fences), ``customers`` beyond them, the ``rate`` of their positive outcome.
    """
    described = current_table()
    numbers, outcome = df[described.numeric], df[described.target_name]
    first, third = numbers.quantile(0.25), numbers.quantile(0.75)
    low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    beyond = (numbers < low) | (numbers > high)
    rate = [outcome[beyond[name]].mean() for name in described.numeric]
    return pd.DataFrame({"low": low, "high": high, "customers": beyond.sum(), "rate": rate})


def _tenths(values: pd.Series) -> pd.Series:
    """Return deciles; where most values are the same, what is below, at and above it."""
    deciles = pd.qcut(values, 10, duplicates="drop")
    return deciles if deciles.cat.categories.size > 2 else np.sign(values - values.median())


def _cramers_v(values: pd.Series, outcome: pd.Series) -> float:
    counts = pd.crosstab(values, outcome)
    if min(counts.shape) < 2:
        return 0.0
    return float(np.sqrt(chi2_contingency(counts, correction=False).statistic / counts.to_numpy().sum()))
