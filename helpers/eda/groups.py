"""What a picture shows: the features with the strongest link to the outcome, and their groups."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from helpers.eda.statistics import feature_strength
from helpers.table import current_table

FEW = 10  # values of a feature, in pictures that have a mark for each
MOST = 20  # features in one picture
MISSING, OTHER = "missing", "other"


@dataclass(frozen=True)
class StrongestFeatures:
    """A table's features by kind, each list strongest first; a feature may be in several.

    Attributes
    ----------
    few_valued, two_valued : list of str
        Of any role, with up to ten values, or with two.
    many_valued, often_zero : list of str
        Numeric, with more than ten values; of these, those that are 0 for 10% to 90% of the customers.
    categorical : list of str
        With up to ten categories.
    """

    few_valued: list[str]
    two_valued: list[str]
    many_valued: list[str]
    often_zero: list[str]
    categorical: list[str]


def strongest_features(df: pd.DataFrame) -> StrongestFeatures:
    """Sort a table's features by kind, and by the strength of their association with the outcome."""
    described = current_table()
    ranking = list(feature_strength(df).index)
    values = df[ranking].nunique()
    few = [name for name in ranking if 2 <= values[name] <= FEW]
    many = [name for name in described.numeric if values[name] > FEW]
    many.sort(key=ranking.index)
    zeros = (df[many] == 0).sum() / df[many].notna().sum()
    return StrongestFeatures(
        few_valued=few,
        two_valued=[name for name in few if values[name] == 2],
        many_valued=many,
        often_zero=[name for name in many if 0.1 <= zeros[name] <= 0.9],
        categorical=[name for name in few if name in described.categorical],
    )


def most_important(df: pd.DataFrame, names: list[str]) -> tuple[list[str], str]:
    """Return up to `MOST` of some features, in their order, and what a title says if that is not all."""
    if len(names) <= MOST:
        return names, ""
    ranking = [name for name in feature_strength(df).index if name in names]
    chosen = set(ranking[:MOST])
    return [name for name in names if name in chosen], f" (the {MOST} strongest of {len(names)} features)"


def as_groups(values: pd.Series, most: int | None = None) -> pd.Series:
    """Return a feature's values as categories, in the description's order; missing ones are one, too.

    Parameters
    ----------
    values : Series
        Named as the feature.
    most : int, optional
        With more categories, the rarest become one: `OTHER`.
    """
    order = [*current_table().choices(str(values.name)), *sorted(values.dropna().unique())]
    named = values.astype(object).where(values.notna(), MISSING)
    if most and named.nunique() > most:
        named = named.where(named.isin(named.value_counts().index[: most - 1]), OTHER)
    categories = list(dict.fromkeys([*order, OTHER, MISSING]))
    return pd.Series(pd.Categorical(named, categories, ordered=True), values.index, name=values.name)


def scale(feature: str, values: pd.Series) -> tuple[float, str]:
    """Return what to divide a feature's numbers by, and the unit of the results: ``thousand euros``."""
    large = values.abs().quantile(0.9)  # no outlier
    divisor, word = (1e6, "million") if large >= 1e7 else (1e3, "thousand") if large >= 1e4 else (1, "")
    unit = current_table().features[feature].unit
    return divisor, f"{word} {unit}".strip() if unit else word and f"{word}s"


def bands(values: pd.Series, join: int = 1) -> pd.Series:
    """Return the band of every number: ``18-24``, ``25-29``, ... ``70+``; large ones in thousands.

    Parameters
    ----------
    values : Series
        Named as the feature, whose description may have the bands; else there are up to eight, with about
        equally many customers.
    join : int
        How many neighboring bands to make one.
    """
    name = str(values.name)
    divisor, _ = scale(name, values)
    edges = np.array(current_table().features[name].bands or _round_quantiles(values))[::join] / divisor
    whole = divisor == 1 and not (values.dropna() % 1).any() and not (edges % 1).any()
    names = [_band(low, high, whole) for low, high in pairwise(edges)] + [f"{edges[-1]:.10g}+"]
    if values.min() / divisor < edges[0]:
        names = [f"<{edges[0]:.10g}", *names]
        edges = np.array([-np.inf, *edges])
    return pd.cut(values / divisor, [*edges, np.inf], right=False, labels=names)


def _band(low: float, high: float, whole: bool) -> str:
    if whole and high - low == 1:
        return f"{low:.10g}"
    return f"{low:.10g}{' to ' if low < 0 else '-'}{high - whole:.10g}"


def _round_quantiles(values: pd.Series) -> np.ndarray:
    """Return lower edges of bands, rounded to 1, 2 or 5 units of a power of ten."""
    low, high = values.min(), values.max()
    edges = values.quantile(np.arange(8) / 8).to_numpy()
    if len(np.unique(edges)) < 4:  # most values are the same
        edges = np.linspace(low, high, 9)[:-1]
    rough = (edges[-1] - edges[0]) / 20 or 1.0
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    if not (values.dropna() % 1).any():
        step = max(step, 1.0)
    return np.unique(np.floor(edges / step + 1e-9) * step)
