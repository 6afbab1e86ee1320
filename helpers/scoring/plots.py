"""Plots of scored customers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.plotting import (
    ACCENT,
    CHURNED,
    MUTED,
    RETAINED,
    caption,
    feature_label,
    figure,
    panels,
    value_label,
)
from helpers.table import current_table

TOP_REASONS = 5


def score_distribution(scores: pd.DataFrame, threshold: float, customers: pd.DataFrame) -> Figure:
    """Plot the distribution of scores, with the customers to contact in another color.

    Parameters
    ----------
    scores : DataFrame
        With ``probability``.
    threshold : float
    customers : DataFrame
        For the caption.
    """
    fig, ax = figure(width=6.5, height=3.6)
    contact = scores["probability"] >= threshold
    groups = {"skip": scores["probability"][~contact], "contact": scores["probability"][contact]}
    ax.hist(
        list(groups.values()),
        np.linspace(0, 1, 41).tolist(),
        stacked=True,
        color=[RETAINED, CHURNED],
        label=[f"{decision}: {len(group):,}" for decision, group in groups.items()],
    )
    ax.axvline(threshold, color="black", lw=1, ls="--")
    ax.set(xlabel="probability of churn", ylabel="customers", xlim=(0, 1))
    ax.set_title(f"{contact.mean():.0%} of the customers are contacted, from a score of {threshold:.2f}")
    ax.legend(frameon=False)
    return caption(fig, customers)


def reasons(contributions: pd.DataFrame, customers: pd.DataFrame, names: pd.Series) -> Figure:
    """Plot each customer's strongest reasons: a panel per customer, a bar per feature.

    Parameters
    ----------
    contributions : DataFrame of shape (n_customers, n_features + 1)
        From `shapley_values`; a few customers.
    customers : DataFrame
        The same customers in the same order.
    names : Series
        What to call each customer, in the same order.
    """
    fig, axes = panels(1, len(contributions), width=3.3 * len(contributions), height=2.9, sharex=True)
    for number, ax in enumerate(axes):
        contribution, customer = contributions.iloc[number], customers.iloc[number]
        strongest = contribution.drop("base").sort_values(key=np.abs)[-TOP_REASONS:]
        labels = [_reason(name, customer[name]) for name in strongest.index]
        colors = [CHURNED if value > 0 else RETAINED for value in strongest]
        bars = ax.barh(labels, strongest, color=colors)
        ax.bar_label(bars, [_signed(value) for value in strongest], padding=3)
        ax.axvline(0, color=MUTED, lw=1)
        ax.set_title(f"{names.iloc[number]}: {contribution.sum():.2f}")
        ax.grid(axis="y", visible=False)
        ax.margins(x=0.3)
    fig.suptitle(f"What adds most to the mean score of {contributions['base'].iloc[0]:.2f}")
    return caption(fig, customers)


def expected_by_segment(tables: dict[str, pd.DataFrame], customers: pd.DataFrame) -> Figure:
    """Plot the expected churn rate of each segment, with intervals.

    Parameters
    ----------
    tables : dict
        Table of `expected_churn_by_segment` by feature; ``observed`` is plotted if present.
    customers : DataFrame
        For the caption.
    """
    fig, axes = panels(1, len(tables), width=3.2 * len(tables), height=3.6, sharey=True)
    for ax, (title, table) in zip(axes, tables.items(), strict=True):
        x = np.arange(len(table))
        interval = [table["expected"] - table["low"], table["high"] - table["expected"]]
        ax.errorbar(x, table["expected"], interval, fmt="o", color=RETAINED, capsize=3, label="expected")
        if "observed" in table:
            ax.scatter(x, table["observed"], color=CHURNED, marker="D", s=22, zorder=3, label="observed")
        labels = [f"{name}\n({count:,})" for name, count in table["customers"].items()]
        ax.set_xticks(x, labels, fontsize=8)
        ax.set(title=feature_label(title), xlim=(-0.5, len(table) - 0.5), ylim=(0, 1))
        ax.yaxis.set_major_formatter("{x:.0%}")
    axes[0].set_ylabel(f"{current_table().target.outcome} rate")
    axes[0].legend(frameon=False, fontsize=8)
    return caption(fig, customers)


def expected_costs(costs: pd.Series, customers: pd.DataFrame) -> Figure:
    """Plot the expected cost of the decision beside contacting nobody and everybody.

    Parameters
    ----------
    costs : Series
        From the function `expected_costs`.
    customers : DataFrame
        For the caption.
    """
    fig, ax = figure(width=6.5, height=2.4)
    colors = [ACCENT if name == costs.index[-1] else MUTED for name in costs.index]
    ax.barh(costs.index[::-1], costs[::-1], color=colors[::-1])
    for row, cost in enumerate(costs[::-1]):
        ax.text(cost, row, f" {cost:,.0f}", va="center")
    saving = costs.iloc[:-1].min() - costs.iloc[-1]
    ax.set(xlabel="expected cost, in wasted contacts", xlim=(0, costs.max() * 1.12))
    ax.set_title(f"The decision saves {saving:,.0f} compared with the better simple rule")
    ax.grid(axis="y", visible=False)
    return caption(fig, customers)


def _reason(feature: str, value: object) -> str:
    label = value_label(feature, value)
    # A number needs its feature's name, words do not.
    return f"{feature} {float(label):,.0f}" if label.replace(".", "", 1).isdigit() else label


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text
