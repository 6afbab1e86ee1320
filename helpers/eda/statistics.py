"""Churn rates with intervals, association of features with churn, outliers."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency, norm

from helpers.table import current_table

AGE_EDGES = [18, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 101]


def wilson_interval(
    churned: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of Wilson's score interval of a rate (Wilson 1927), valid for small groups too.

    Parameters
    ----------
    churned, n : array of shape (n_groups,)
        Churned customers and all customers of each group.
    confidence : float
    """
    z = norm.ppf((1 + confidence) / 2)
    size = np.asarray(n, float)
    rate = np.asarray(churned, float) / size
    center = (rate + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(rate * (1 - rate) / size + z**2 / (4 * size**2))
    # At 0 and 1 the bound is the rate itself, up to rounding.
    return np.minimum(center - half, rate), np.maximum(center + half, rate)


def churn_rates(df: pd.DataFrame, by: str | list[str]) -> pd.DataFrame:
    """Return the churn rate of every group.

    Parameters
    ----------
    df : DataFrame
        With the grouping columns and ``Exited``.
    by : str or list of str

    Returns
    -------
    DataFrame
        One row per group that has customers: ``customers``, ``rate`` in [0, 1], and the bounds ``low`` and
        ``high`` of its 95% Wilson interval.
    """
    groups = df.groupby(by, observed=True)[current_table().target_name].agg(["size", "mean", "sum"])
    low, high = wilson_interval(groups["sum"], groups["size"])
    return groups.rename(columns={"size": "customers", "mean": "rate"})[["customers", "rate"]].assign(
        low=low, high=high
    )


def age_band(age: pd.Series, years: int = 5) -> pd.Series:
    """Return the band of every age: ``18-24``, ``25-29``, ... ``70+``; for ``years=10`` two bands in one."""
    edges = [*AGE_EDGES[: -1 : years // 5], AGE_EDGES[-1]]
    names = [f"{low}-{high - 1}" for low, high in pairwise(edges[:-1])]
    return pd.cut(age, edges, right=False, labels=[*names, f"{edges[-2]}+"])


def feature_strength(df: pd.DataFrame) -> pd.DataFrame:
    """Return each feature's association with churn by two measures, strongest first.

    Returns
    -------
    DataFrame
        Index: the features. ``correlation`` with ``Exited`` (Pearson, absolute; NaN for more than two
        categories) measures linear association only. ``association`` (Cramér's V over categories, values or,
        if there are more than ten values, deciles) measures any shape. Both are from 0 to 1.
    """
    rows = {}
    for name in current_table().feature_names:
        values = df[name]
        if name in current_table().categorical:
            codes, kinds = pd.factorize(values, sort=True)
            numbers = pd.Series(codes, df.index) if len(kinds) == 2 else None
        else:
            numbers = values
        if values.nunique() > 10:
            values = pd.qcut(values, 10, duplicates="drop")
        counts = pd.crosstab(values, df[current_table().target_name])
        association = np.sqrt(chi2_contingency(counts, correction=False).statistic / len(df))
        correlation = np.nan if numbers is None else abs(numbers.corr(df[current_table().target_name]))
        rows[name] = {"correlation": correlation, "association": association}
    return pd.DataFrame(rows).T.sort_values("association", ascending=False)


def outliers(df: pd.DataFrame) -> pd.DataFrame:
    """Count, per numeric feature, the customers beyond Tukey's fences (1.5 interquartile ranges).

    Returns
    -------
    DataFrame
        ``low`` and ``high`` (the fences), ``customers`` beyond them, their churn ``rate``.
    """
    first, third = df[current_table().numeric].quantile(0.25), df[current_table().numeric].quantile(0.75)
    low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    beyond = (df[current_table().numeric] < low) | (df[current_table().numeric] > high)
    rate = [df.loc[beyond[name], current_table().target_name].mean() for name in current_table().numeric]
    return pd.DataFrame({"low": low, "high": high, "customers": beyond.sum(), "rate": rate})
