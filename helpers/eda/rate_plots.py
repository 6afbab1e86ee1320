"""Plots of churn rates by group and by pairs of features, with confidence intervals."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.eda.statistics import age_band, churn_rates
from helpers.plotting import CHURNED, GROUPS, MUTED, caption, figure, panels, value_label
from helpers.table import current_table

PERCENT = PercentFormatter(1, decimals=0)


def rates_by_group(df: pd.DataFrame) -> Figure:
    """Draw the churn rate of every category, with 95% intervals."""
    features = ["NumOfProducts", *current_table().categorical, *current_table().binary]
    fig, ax = figure(width=6.5, height=4.6)
    labels, positions, y = [], [], 0.0
    for number, feature in enumerate(features):
        rates = churn_rates(df, feature)
        at = y + np.arange(len(rates))
        _with_intervals(ax, rates, at, GROUPS[number], horizontal=True)
        labels += [f"{value_label(feature, group)}  ({n:,})" for group, n in rates["customers"].items()]
        positions += list(at)
        y = at[-1] + 1.7
    ax.axvline(df[current_table().target_name].mean(), color=MUTED, ls="--", lw=1)
    ax.text(df[current_table().target_name].mean(), -1, "all customers", color=MUTED, ha="center", fontsize=8)
    ax.set_yticks(positions, labels)
    ax.set(xlabel="churn rate, with 95% interval", xlim=(0, 1.02), ylim=(positions[-1] + 0.6, -1.6))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.grid(False)
    fig.suptitle(_widest_range(df, features))
    return caption(fig, df)


def rates_by_age(df: pd.DataFrame) -> Figure:
    """Draw the churn rate by age band, above the number of customers."""
    rates = churn_rates(df.assign(band=age_band(df["Age"])), "band")
    x = np.arange(len(rates))
    fig, (top, bottom) = panels(2, 1, width=6.5, height=4.2, sharex=True, height_ratios=[3, 1])
    _with_intervals(top, rates, x, CHURNED)
    top.plot(x, rates["rate"], color=CHURNED, lw=1)
    top.axhline(df[current_table().target_name].mean(), color=MUTED, ls="--", lw=1)
    top.set(ylabel="churn rate", ylim=(0, None))
    top.yaxis.set_major_formatter(PERCENT)
    bottom.bar(x, rates["customers"], color=MUTED)
    bottom.set(ylabel="customers", xlabel="age")
    bottom.set_xticks(x, rates.index)
    peak = rates["rate"].idxmax()
    falls = ", then falls: not linear" if peak != rates.index[-1] else ""
    fig.suptitle(f"Churn rises to {rates['rate'].max():.0%} at age {peak}{falls}")
    return caption(fig, df)


def age_by_activity(df: pd.DataFrame) -> Figure:
    """Draw the churn rate by age band for active and for inactive customers."""
    rates = churn_rates(df.assign(band=age_band(df["Age"])), ["IsActiveMember", "band"])
    fig, ax = figure(width=6.5, height=3.8)
    bands = list(age_band(df["Age"]).cat.categories)
    for active, color, marker in ((0, GROUPS[1], "o"), (1, GROUPS[0], "s")):
        part = rates.loc[active]
        x = np.array([bands.index(band) for band in part.index])
        ax.plot(x, part["rate"], color=color, marker=marker, label=value_label("IsActiveMember", active))
        ax.fill_between(x, part["low"], part["high"], color=color, alpha=0.15, lw=0)
    ax.set_xticks(range(len(bands)), bands)
    ax.set(xlabel="age", ylabel="churn rate, with 95% band", ylim=(0, 1))
    ax.yaxis.set_major_formatter(PERCENT)
    ax.legend(frameon=False)
    gap = (rates.loc[0]["rate"] - rates.loc[1]["rate"]).dropna()
    fig.suptitle(f"Activity matters most at age {gap.idxmax()}: a gap of {100 * gap.max():.0f} points")
    return caption(fig, df)


def products_by_country(df: pd.DataFrame) -> Figure:
    """Draw the churn rate by country and number of products as a heat map."""
    rates = churn_rates(df, ["NumOfProducts", "Geography"])
    table, counts = rates["rate"].unstack(), rates["customers"].unstack(fill_value=0)
    values, sizes = table.to_numpy(), counts.to_numpy()
    fig, ax = figure(width=6.5, height=3.6)
    ax.imshow(values, cmap="Oranges", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(values.shape):
        rate, n = values[row, column], sizes[row, column]
        text = "no customers" if n == 0 else f"{rate:.0%}  (n = {n:,})"
        ax.text(column, row, text, ha="center", va="center", color="white" if rate > 0.6 else "black")
    ax.set_xticks(range(values.shape[1]), table.columns)
    ax.set_yticks(range(values.shape[0]), [value_label("NumOfProducts", n) for n in table.index])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    overall = churn_rates(df, "NumOfProducts")["rate"]
    low, high = (value_label("NumOfProducts", group) for group in (overall.idxmin(), overall.idxmax()))
    fig.suptitle(f"Lowest churn with {low} ({overall.min():.0%}), highest with {high} ({overall.max():.0%})")
    return caption(fig, df)


def balance_by_country(df: pd.DataFrame) -> Figure:
    """Draw the churn rate by country, with and without a balance."""
    rates = churn_rates(df.assign(positive=df["Balance"] > 0), ["positive", "Geography"])
    countries = sorted(df["Geography"].unique())
    fig, ax = figure(width=6.5, height=3.6)
    for positive, shift, color, label in (
        (False, -0.08, GROUPS[0], "balance 0"),
        (True, 0.08, GROUPS[1], "balance above 0"),
    ):
        part = rates[rates.index.get_level_values("positive") == positive].droplevel("positive")
        x = np.array([countries.index(name) for name in part.index])
        _with_intervals(ax, part, x + shift, color, label=label)
        for position, (rate, n) in zip(x, part[["rate", "customers"]].to_numpy(), strict=True):
            ax.annotate(
                f"{rate:.0%}\nn = {n:,.0f}",
                (position + shift, rate),
                (8 if positive else -8, 0),
                textcoords="offset points",
                ha="left" if positive else "right",
                va="center",
                fontsize=8,
            )
    ax.set_xticks(range(len(countries)), countries)
    ax.set(ylabel="churn rate, with 95% interval", ylim=(0, None), xlim=(-0.6, len(countries) - 0.4))
    ax.yaxis.set_major_formatter(PERCENT)
    ax.legend(frameon=False, loc="upper left")
    without = [name for name in countries if (False, name) not in rates.index]
    fig.suptitle(
        f"No customer in {' and '.join(without)} has a balance of 0"
        if without
        else "Churn with and without a balance, by country"
    )
    return caption(fig, df)


def _widest_range(df: pd.DataFrame, features: list[str]) -> str:
    """Return a title that names the feature whose groups differ most in churn rate."""
    rates = {feature: churn_rates(df, feature)["rate"] for feature in features}
    feature = max(features, key=lambda name: rates[name].max() - rates[name].min())
    low, high = (value_label(feature, group) for group in (rates[feature].idxmin(), rates[feature].idxmax()))
    low_rate, high_rate = rates[feature].min(), rates[feature].max()
    return f"{feature} matters most: {low_rate:.0%} ({low}) to {high_rate:.0%} ({high})"


def _with_intervals(
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
