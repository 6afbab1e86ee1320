"""Plots of the outcome's rate by one feature, with confidence intervals."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.eda.groups import FEW, as_groups, bands, most_important, scale, strongest_features
from helpers.eda.statistics import outcome_rates
from helpers.plotting import (
    CHURNED,
    GROUPS,
    MUTED,
    caption,
    drawable,
    feature_label,
    figure,
    group_label,
    in_sentence,
    note,
    panels,
    value_label,
    width_for,
)
from helpers.table import current_table

PERCENT = PercentFormatter(1, decimals=0)


def rates_by_group(df: pd.DataFrame) -> Figure:
    """Draw the outcome's rate in every group of the features with few values, with 95% intervals."""
    described, few = current_table(), strongest_features(df).few_valued
    named = [name for name in described.feature_names if name in few or name in described.categorical]
    features, some = most_important(df, named)
    if not features:
        return note("No feature has few values: there are no groups to compare.")
    rates = {feature: outcome_rates(df, as_groups(df[feature], most=FEW)) for feature in features}
    labels, positions, colors, y = [], [], [], 0.0
    for number, (feature, table) in enumerate(rates.items()):
        labels += [f"{group_label(feature, group)}  ({n:,})" for group, n in table["customers"].items()]
        positions.append(y + np.arange(len(table)))
        colors.append(GROUPS[number % len(GROUPS)])
        y = positions[-1][-1] + 1.7
    last, mean = positions[-1][-1], df[described.target_name].mean()
    fig, ax = figure(width_for(labels), height=0.9 + 0.25 * max(last, 4))
    for table, at, color in zip(rates.values(), positions, colors, strict=True):
        with_intervals(ax, table, at, color, horizontal=True)
    ax.axvline(mean, color=MUTED, ls="--", lw=1)
    ax.text(mean, -1, "all customers", color=MUTED, ha="center", fontsize=8)
    ax.set_yticks(np.concatenate(positions), labels)
    highest = max(table["high"].max() for table in rates.values())
    ax.set(xlabel=f"{described.target.outcome} rate, with 95% interval")
    ax.set(xlim=(0, 1.02 * rate_limit(highest)), ylim=(last + 0.6, -1.6))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.grid(False)
    fig.suptitle(_widest_range(rates) + some, wrap=True)
    return caption(fig, df)


def rates_by_band(df: pd.DataFrame) -> Figure:
    """Draw the outcome's rate by the strongest number, in bands, above the number of customers."""
    many = strongest_features(df).many_valued
    if not many:
        return note("No feature is a number with many values: there are no bands to compare.")
    rates = outcome_rates(df, bands(df[many[0]].dropna()))
    rates = rates[rates.index.notna()]
    x = np.arange(len(rates))
    fig, (top, bottom) = panels(2, 1, width=6.5, height=4.2, sharex=True, height_ratios=[3, 1])
    with_intervals(top, rates, x, CHURNED)
    top.plot(x, rates["rate"], color=CHURNED, lw=1)
    top.axhline(df[current_table().target_name].mean(), color=MUTED, ls="--", lw=1)
    outcome = current_table().target.outcome
    top.set(ylabel=f"{outcome} rate", ylim=(0, None))
    top.yaxis.set_major_formatter(PERCENT)
    bottom.bar(x, rates["customers"], color=MUTED)
    bottom.set(ylabel="customers", xlabel=band_axis(df, many[0]))
    set_ticks(bottom, x, list(rates.index))
    peak, label = rates["rate"].idxmax(), in_sentence(feature_label(many[0]))
    subject, highest = outcome[:1].upper() + outcome[1:], f"{rates['rate'].max():.0%}"
    title = f"{subject} is highest at {label} {peak}: {highest}"
    if peak != rates.index[0]:
        falls = ", then falls: not linear" if peak != rates.index[-1] else ""
        title = f"{subject} rises to {highest} at {label} {peak}{falls}"
    fig.suptitle(title, wrap=True)
    return caption(fig, df)


def band_axis(df: pd.DataFrame, feature: str) -> str:
    """Return an axis label for a feature's bands: ``age (years)``."""
    _, unit = scale(feature, df[feature])
    return in_sentence(feature_label(feature)) + (f" ({drawable(unit)})" if unit else "")


def rate_limit(highest: float) -> float:
    """Return where an axis of rates ends: at 1, unless all are far below."""
    return 1.0 if highest > 0.5 else 1.1 * highest


def set_ticks(ax: Axes, at: np.ndarray, labels: list[str]) -> None:
    """Label the x axis; tilted, if the labels would run into each other."""
    ax.set_xticks(at, labels)
    if sum(map(len, labels)) > 10 * ax.figure.bbox.width / ax.figure.dpi:
        ax.tick_params(axis="x", labelrotation=30)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")


def with_intervals(
    ax: Axes,
    rates: pd.DataFrame,
    at: np.ndarray,
    color: str,
    *,
    label: str | None = None,
    horizontal: bool = False,
) -> None:
    """Draw dots with whiskers from ``low`` to ``high``."""
    error = [rates["rate"] - rates["low"], rates["high"] - rates["rate"]]
    style: dict[str, Any] = {"fmt": "o", "color": color, "ms": 6, "lw": 1.6, "capsize": 3, "label": label}
    if horizontal:
        ax.errorbar(rates["rate"], at, xerr=error, **style)
    else:
        ax.errorbar(at, rates["rate"], yerr=error, **style)


def _widest_range(rates: dict[str, pd.DataFrame]) -> str:
    """Return a title that names the feature whose groups differ most in their rate."""
    feature = max(rates, key=lambda name: rates[name]["rate"].max() - rates[name]["rate"].min())
    rate = rates[feature]["rate"]
    low, high = value_label(feature, rate.idxmin()), value_label(feature, rate.idxmax())
    return f"{feature_label(feature)} matters most: {rate.min():.0%} ({low}) to {rate.max():.0%} ({high})"
