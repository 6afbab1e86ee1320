"""Pictures of the customers' features: distribution, correlation, strength, outliers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.config import BINARY, NUMERIC, TARGET
from helpers.eda.statistics import feature_strength, outliers
from helpers.plotting import CHURNED, MUTED, RETAINED, caption, figure, panels

OUTCOMES = {0: ("stayed", RETAINED), 1: ("left", CHURNED)}
UNITS = {
    "CreditScore": "points",
    "Age": "years",
    "Tenure": "years with the bank",
    "Balance": "thousand euros",
    "NumOfProducts": "products",
    "EstimatedSalary": "thousand euros a year",
}


def target_balance(df: pd.DataFrame) -> Figure:
    """Draw how many customers stayed and left."""
    counts = df[TARGET].value_counts()
    fig, ax = figure(width=6.5, height=1.8)
    start = 0
    for value, (name, colour) in OUTCOMES.items():
        ax.barh(0, counts[value], left=start, color=colour)
        text = f"{name}\n{counts[value]:,} ({counts[value] / len(df):.1%})"
        ax.text(start + counts[value] / 2, 0, text, ha="center", va="center", color="white", weight="bold")
        start += counts[value]
    ax.set(xlabel="customers", yticks=[], xlim=(0, len(df)))
    ax.spines["left"].set_visible(False)
    ax.set_title(
        f'One customer in {len(df) / counts[1]:.1f} left: "all stay" is right {counts[0] / len(df):.0%}'
    )
    return caption(fig, df)


def distributions(df: pd.DataFrame) -> Figure:
    """Draw every numeric feature's distribution, those who stayed beside those who left."""
    fig, axes = panels(2, 3, width=9.5, height=5.4)
    for ax, name in zip(axes.flat, NUMERIC, strict=True):
        values = df[name] / (1000 if UNITS[name].startswith("thousand") else 1)
        whole = values.nunique() <= 15
        edges = np.arange(values.min(), values.max() + 2) - 0.5 if whole else np.linspace(*_ends(values), 31)
        for outcome, (label, colour) in OUTCOMES.items():
            part = values[df[TARGET] == outcome]
            share = np.full(len(part), 1 / len(part))
            ax.hist(part, edges, weights=share, color=colour, alpha=0.2)
            ax.hist(part, edges, weights=share, color=colour, histtype="step", lw=1.6, label=label)
        ax.set(title=name, xlabel=UNITS[name])
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        if whole:
            ax.set_xticks(np.arange(values.min(), values.max() + 1))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", frameon=False, ncols=2)
    medians = df.groupby(TARGET)["Age"].median()
    fig.suptitle(f"Median age: {medians[0]:g} of those who stayed, {medians[1]:g} of those who left")
    return caption(fig, df)


def correlation_matrix(df: pd.DataFrame) -> Figure:
    """Draw Pearson's correlations of the numeric and binary features and the outcome."""
    table = df[[*NUMERIC, *BINARY, TARGET]].corr()
    below = np.tril(np.ones(table.shape, bool), -1)
    fig, ax = figure(width=6.5, height=5.2)
    image = ax.imshow(table.where(below), cmap="RdBu_r", vmin=-0.5, vmax=0.5)
    for row, column in zip(*np.nonzero(below), strict=True):
        value = round(table.iloc[row, column], 2) + 0.0  # no "-0.00"
        ax.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if abs(value) > 0.3 else "black",
        )
    ticks = range(len(table))
    ax.set_xticks(ticks[:-1], table.columns[:-1], rotation=45, ha="right")
    ax.set_yticks(ticks[1:], table.index[1:])
    ax.set(xlim=(-0.5, len(table) - 1.5), ylim=(len(table) - 0.5, 0.5))
    ax.spines[:].set_visible(False)
    ax.grid(False)
    fig.colorbar(image, ax=ax, shrink=0.7, label="correlation", extend="both")
    pairs = table.where(below).stack()
    first, second = pairs.abs().idxmax()
    ax.set_title(f"Strongest pair: {second} and {first}, {pairs[first, second]:.2f}", loc="left")
    return caption(fig, df)


def strength(df: pd.DataFrame) -> Figure:
    """Draw what each feature alone says about leaving: seen by a straight line, and in any shape."""
    table = feature_strength(df).iloc[::-1]
    y = np.arange(len(table))
    fig, ax = figure(width=6.5, height=3.8)
    ax.hlines(y, table["correlation"].fillna(0), table["association"], color=MUTED, lw=1)
    ax.scatter(table["association"], y, color=CHURNED, s=45, label="any shape (Cramér's V)")
    ax.scatter(
        table["correlation"],
        y,
        facecolor="white",
        edgecolor=RETAINED,
        s=45,
        lw=1.6,
        zorder=3,
        label="straight line (|correlation|)",
    )
    ax.set_yticks(y, table.index)
    ax.set(xlabel="strength of the link with leaving", xlim=(-0.01, None))
    ax.legend(frameon=False, loc="lower right")
    best = table.index[-1]
    hidden = (table["association"] - table["correlation"]).idxmax()
    missed = "it" if hidden == best else hidden
    fig.suptitle(f"{best} says most about leaving; a straight line misses most of {missed}")
    return caption(fig, df)


def outlier_boxes(df: pd.DataFrame) -> Figure:
    """Draw each numeric feature's spread in interquartile ranges from its median, and what lies beyond."""
    spread = df[NUMERIC].quantile(0.75) - df[NUMERIC].quantile(0.25)
    table = outliers(df)
    fig, ax = figure(width=6.5, height=3.6)
    ax.boxplot(
        ((df[NUMERIC] - df[NUMERIC].median()) / spread).to_numpy(),
        orientation="horizontal",
        widths=0.6,
        medianprops={"color": CHURNED, "lw": 2},
        boxprops={"color": RETAINED},
        whiskerprops={"color": RETAINED},
        capprops={"color": RETAINED},
        flierprops={"marker": ".", "ms": 3, "mec": "none", "mfc": MUTED, "alpha": 0.4},
    )
    labels = [f"{name}  ({count:,} beyond)" for name, count in table["customers"].items()]
    ax.set_yticks(range(1, len(NUMERIC) + 1), labels)
    ax.invert_yaxis()
    ax.set_xlabel("distance from the median, in interquartile ranges")
    most = table["customers"].idxmax()
    ax.set_title(
        f"{table.loc[most, 'rate']:.0%} of the {most} outliers left; all customers: {df[TARGET].mean():.0%}"
    )
    return caption(fig, df)


def _ends(values: pd.Series) -> tuple[float, float]:
    return values.min(), values.max()
