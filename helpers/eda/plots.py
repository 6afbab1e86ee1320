"""Plots of single features: distribution, correlation, association with churn, outliers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.eda.statistics import feature_strength, outliers
from helpers.plotting import ACCENT, CHURNED, MUTED, RETAINED, caption, figure, panels
from helpers.table import current_table

OUTCOMES = {0: ("retained", RETAINED), 1: ("churned", CHURNED)}
UNITS = {
    "CreditScore": "points",
    "Age": "years",
    "Tenure": "years with the bank",
    "Balance": "thousand euros",
    "NumOfProducts": "products",
    "EstimatedSalary": "thousand euros per year",
}
CRAMERS_V = "Cramér's V"


def target_balance(df: pd.DataFrame) -> Figure:
    """Draw the number of retained and churned customers."""
    counts = df[current_table().target_name].value_counts()
    fig, ax = figure(width=6.5, height=1.8)
    start = 0
    for value, (name, color) in OUTCOMES.items():
        ax.barh(0, counts[value], left=start, color=color)
        text = f"{name}\n{counts[value]:,} ({counts[value] / len(df):.1%})"
        ax.text(start + counts[value] / 2, 0, text, ha="center", va="center", color="white", weight="bold")
        start += counts[value]
    ax.set(xlabel="customers", yticks=[], xlim=(0, len(df)))
    ax.spines["left"].set_visible(False)
    ax.set_title(
        f"One customer in {len(df) / counts[1]:.1f} churned: "
        f'"all retained" is {counts[0] / len(df):.0%} accurate'
    )
    return caption(fig, df)


def distributions(df: pd.DataFrame) -> Figure:
    """Draw the distribution of every numeric feature, retained and churned customers overlaid."""
    fig, axes = panels(2, 3, width=9.5, height=5.4)
    for ax, name in zip(axes.flat, current_table().numeric, strict=True):
        values = df[name] / (1000 if UNITS[name].startswith("thousand") else 1)
        low, high = float(values.min()), float(values.max())
        discrete = values.nunique() <= 15
        edges = np.arange(low, high + 2) - 0.5 if discrete else np.linspace(low, high, 31)
        for outcome, (label, color) in OUTCOMES.items():
            part = values[df[current_table().target_name] == outcome]
            share = np.full(len(part), 1 / len(part))
            ax.hist(part, edges, weights=share, color=color, alpha=0.2)
            ax.hist(part, edges, weights=share, color=color, histtype="step", lw=1.6, label=label)
        ax.set(title=name, xlabel=UNITS[name])
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        if discrete:
            ax.set_xticks(np.arange(low, high + 1))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", frameon=False, ncols=2)
    medians = df.groupby(current_table().target_name)["Age"].median()
    fig.suptitle(f"Median age: {medians[0]:g} (retained), {medians[1]:g} (churned)")
    return caption(fig, df)


def correlation_matrix(df: pd.DataFrame) -> Figure:
    """Draw Pearson's correlations of the numeric and binary features and the outcome."""
    names = [*current_table().numeric, *current_table().binary, current_table().target_name]
    values = df[names].corr().to_numpy()
    below = np.tril(np.ones(values.shape, bool), -1)
    fig, ax = figure(width=6.5, height=5.2)
    image = ax.imshow(np.where(below, values, np.nan), cmap="RdBu_r", vmin=-0.5, vmax=0.5)
    for row, column in zip(*np.nonzero(below), strict=True):
        color = "white" if abs(values[row, column]) > 0.3 else "black"
        text = f"{values[row, column]:z.2f}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=45, ha="right")
    ax.set_yticks(range(1, len(names)), names[1:])
    ax.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5))
    ax.spines[:].set_visible(False)
    ax.grid(False)
    fig.colorbar(image, ax=ax, shrink=0.7, label="correlation", extend="both")
    strongest = np.nanargmax(np.where(below, abs(values), np.nan))
    row, column = np.unravel_index(strongest, values.shape)
    ax.set_title(f"Strongest pair: {names[column]} and {names[row]}, {values[row, column]:z.2f}", loc="left")
    return caption(fig, df)


def strength(df: pd.DataFrame) -> Figure:
    """Draw each feature's association with churn: linear (correlation), and of any shape (Cramér's V)."""
    table = feature_strength(df).iloc[::-1]
    y = np.arange(len(table))
    fig, ax = figure(width=6.5, height=3.8)
    ax.hlines(y, table["correlation"].fillna(0), table["association"], color=MUTED, lw=1)
    ax.scatter(table["association"], y, color=ACCENT, s=45, label=f"any shape ({CRAMERS_V})")
    correlation = ax.scatter(table["correlation"], y, s=45, zorder=3, label="linear (|correlation|)")
    correlation.set(facecolor="white", edgecolor="black", linewidth=1.6)
    ax.set_yticks(y, table.index)
    ax.set(xlabel="strength of association with churn", xlim=(-0.01, None))
    ax.legend(frameon=False, loc="lower right")
    best = table.index[-1]
    hidden = (table["association"] - table["correlation"]).idxmax()
    missed = "it" if hidden == best else hidden
    fig.suptitle(f"{best} is strongest; correlation misses most of {missed}")
    return caption(fig, df)


def outlier_boxes(df: pd.DataFrame) -> Figure:
    """Draw each numeric feature as a box plot, in interquartile ranges from its median."""
    spread = df[current_table().numeric].quantile(0.75) - df[current_table().numeric].quantile(0.25)
    table = outliers(df)
    fig, ax = figure(width=6.5, height=3.6)
    ax.boxplot(
        ((df[current_table().numeric] - df[current_table().numeric].median()) / spread).to_numpy(),
        orientation="horizontal",
        widths=0.6,
        medianprops={"color": ACCENT, "lw": 2},
        flierprops={"marker": ".", "ms": 3, "mec": "none", "mfc": MUTED, "alpha": 0.4},
    )
    labels = [f"{name}  ({count:,} outliers)" for name, count in table["customers"].items()]
    ax.set_yticks(range(1, len(current_table().numeric) + 1), labels)
    ax.invert_yaxis()
    ax.set_xlabel("distance from the median, in interquartile ranges")
    most = current_table().numeric[table["customers"].argmax()]
    fig.suptitle(
        f"{table['rate'][most]:.0%} of the {most} outliers churned; all customers: {df[current_table().target_name].mean():.0%}"
    )
    return caption(fig, df)
