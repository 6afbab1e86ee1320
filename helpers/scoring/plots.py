"""Pictures of scored customers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.plotting import ACCENT, CHURNED, MUTED, RETAINED, caption, figure, panels


def score_distribution(scores: pd.DataFrame, threshold: float, customers: pd.DataFrame) -> Figure:
    """Draw how many customers have which score, those to contact in another colour.

    Parameters
    ----------
    scores : DataFrame
        With ``probability``.
    threshold : float
    customers : DataFrame
        For the caption.
    """
    fig, ax = figure(width=6.5, height=3.6)
    bins = np.linspace(0, 1, 41)
    contact = scores["probability"] >= threshold
    parts = [scores["probability"][~contact], scores["probability"][contact]]
    labels = [f"{side}: {len(part):,}" for side, part in zip(("skip", "contact"), parts, strict=True)]
    ax.hist(parts, bins, stacked=True, color=[RETAINED, CHURNED], label=labels)
    ax.axvline(threshold, color="black", lw=1, ls="--")
    ax.set(xlabel="probability of leaving", ylabel="customers", xlim=(0, 1))
    ax.set_title(f"{contact.mean():.0%} of the customers are contacted, from a score of {threshold:.2f}")
    ax.legend(frameon=False)
    return caption(fig, customers)


def reasons(contributions: pd.DataFrame, customers: pd.DataFrame, names: pd.Series) -> Figure:
    """Draw what each feature adds to the score of a few customers, with their values.

    Parameters
    ----------
    contributions : DataFrame of shape (n_customers, n_features + 1)
        From `explain.shapley_values`.
    customers : DataFrame
        Same index.
    names : Series
        What to call each customer.
    """
    features = contributions.columns.drop("base")
    strongest = contributions[features].abs().mean().sort_values(ascending=False).index
    values = contributions[strongest].to_numpy()
    fig, ax = figure(width=8.5, height=0.42 * len(contributions) + 1.6)
    limit = np.abs(values).max()
    ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for row, column in np.ndindex(values.shape):
        value = customers[strongest[column]].iloc[row]
        text = value if isinstance(value, str) else f"{value:,.0f}"
        dark = abs(values[row, column]) > 0.6 * limit
        ax.text(
            column,
            row,
            f"{text}\n{values[row, column]:+.2f}",
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if dark else "black",
        )
    ax.set_xticks(range(len(strongest)), strongest, rotation=30, ha="right")
    total = contributions.sum(axis=1)
    labels = [f"{name}  {score:.2f}" for name, score in zip(names, total, strict=True)]
    ax.set_yticks(range(len(labels)), labels)
    ax.grid(visible=False)
    ax.set_title(f"Why these: what each value adds to the mean score of {contributions['base'].iloc[0]:.2f}")
    return caption(fig, customers)


def expected_by_segment(tables: dict[str, pd.DataFrame], customers: pd.DataFrame) -> Figure:
    """Draw the share of each segment that is expected to leave, with intervals.

    Parameters
    ----------
    tables : dict
        Table of `expected_churn_by_segment` by title of the segmentation; a column ``seen`` is drawn, too.
    customers : DataFrame
        For the caption.
    """
    fig, axes = panels(1, len(tables), width=3.2 * len(tables), height=3.6, sharey=True)
    for ax, (title, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        place = np.arange(len(table))
        spread = [table["expected"] - table["low"], table["high"] - table["expected"]]
        ax.errorbar(place, table["expected"], spread, fmt="o", color=RETAINED, capsize=3, label="expected")
        if "seen" in table:
            ax.scatter(place, table["seen"], color=CHURNED, marker="D", s=22, zorder=3, label="seen later")
        labels = [f"{name}\n({count:,})" for name, count in table["customers"].items()]
        ax.set_xticks(place, labels, fontsize=8)
        ax.set(title=title, xlim=(-0.5, len(table) - 0.5), ylim=(0, 1))
        ax.yaxis.set_major_formatter("{x:.0%}")
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("share that leaves")
    first.legend(frameon=False, fontsize=8)
    return caption(fig, customers)


def expected_costs(costs: pd.Series, customers: pd.DataFrame) -> Figure:
    """Draw what the decision is expected to cost beside contacting nobody and everybody.

    Parameters
    ----------
    costs : Series
        From `expected.expected_costs`.
    customers : DataFrame
        For the caption.
    """
    fig, ax = figure(width=6.5, height=2.4)
    colours = [ACCENT if name == costs.index[-1] else MUTED for name in costs.index]
    ax.barh(costs.index[::-1], costs[::-1], color=colours[::-1])
    for row, cost in enumerate(costs[::-1]):
        ax.text(cost, row, f" {cost:,.0f}", va="center")
    saved = costs.iloc[:-1].min() - costs.iloc[-1]
    ax.set(xlabel="expected cost, in wasted contacts", xlim=(0, costs.max() * 1.12))
    ax.set_title(f"The decision saves {saved:,.0f} against the better simple rule")
    ax.grid(axis="y", visible=False)
    return caption(fig, customers)
