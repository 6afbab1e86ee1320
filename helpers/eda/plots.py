"""Plots of single features: distribution, correlation, association with the outcome, outliers."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.eda.groups import most_important, scale, strongest_features
from helpers.eda.statistics import feature_strength, outliers
from helpers.plotting import (
    ACCENT,
    CHURNED,
    MUTED,
    RETAINED,
    caption,
    drawable,
    feature_label,
    figure,
    in_sentence,
    note,
    panels,
    width_for,
)
from helpers.table import current_table

CRAMERS_V = "Cramér's V"


def target_balance(df: pd.DataFrame) -> Figure:
    """Draw the number of customers with each outcome."""
    counts = df[current_table().target_name].value_counts().reindex([0, 1], fill_value=0)
    fig, ax = figure(width=6.5, height=1.8)
    start = 0
    for value, (name, color) in _outcomes().items():
        ax.barh(0, counts[value], left=start, color=color)
        text = f"{name}\n{counts[value]:,} ({counts[value] / len(df):.1%})"
        if counts[value] > 0.15 * len(df):
            x = start + counts[value] / 2
            ax.text(x, 0, text, ha="center", va="center", color="white", weight="bold")
        else:  # there is no room inside
            x = start + value * counts[value]
            ax.text(x, 0.45, text, ha=("left", "right")[value], va="bottom", color=color, weight="bold")
        start += counts[value]
    ax.set(xlabel="customers", yticks=[], xlim=(0, len(df)))
    ax.spines["left"].set_visible(False)
    names = [name for name, _ in _outcomes().values()]
    ax.set_title(
        f"One customer in {len(df) / counts[1]:.1f} {names[1]}: "
        f'"all {names[counts.argmax()]}" is {counts.max() / len(df):.0%} accurate',
        wrap=True,
    )
    return caption(fig, df)


def distributions(df: pd.DataFrame) -> Figure:
    """Draw the distribution of every numeric feature, customers with either outcome overlaid."""
    described = current_table()
    names, some = most_important(df, described.numeric)
    if not names:
        return note("No feature is numeric: there is no distribution to draw.")
    columns, rows = min(3, len(names)), -(-len(names) // 3)
    fig, axes = panels(rows, columns, width=max(6.5, 9.5 * columns / 3), height=2.7 * rows)
    for ax, name in zip(axes.flat, names, strict=False):
        _overlaid(ax, df, name)
    for ax in list(axes.flat)[len(names) :]:
        ax.set_visible(False)
    most = (strongest_features(df).many_valued or names)[0]
    divisor, unit = scale(most, df[most])
    medians = df.groupby(described.target_name)[most].median() / divisor
    label = f"{in_sentence(feature_label(most))}{f' in {drawable(unit)}' if divisor > 1 else ''}"
    values = ", ".join(f"{medians[value]:.4g} ({name})" for value, (name, _) in _outcomes().items())
    title = f"Median {label}: {values}{some}"
    fig.suptitle(title, wrap=True)
    beside = len(title) < 6 * fig.get_figwidth()  # the title leaves room for the legend
    place: Literal["outside upper right", "outside lower left"]
    place = "outside upper right" if beside else "outside lower left"
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc=place, frameon=False, ncols=2)
    return caption(fig, df)


def correlation_matrix(df: pd.DataFrame) -> Figure:
    """Draw Pearson's correlations of the numeric and binary features and the target."""
    described = current_table()
    names, some = most_important(df, described.numeric + described.binary)
    if not names:
        return note("No feature is numeric or binary: there is no correlation to draw.")
    names = [*names, described.target_name]
    values = df[names].corr().to_numpy()
    below = np.tril(np.ones(values.shape, bool), -1)
    labels = [feature_label(name) for name in names]
    width = 2.7 + 0.42 * len(names) + 0.1 * max(0, max(map(len, labels)) - 15)
    width = max(6.5, width)
    fig, ax = figure(width, height=0.8 * width)
    image = ax.imshow(np.where(below, values, np.nan), cmap="RdBu_r", vmin=-0.5, vmax=0.5)
    for row, column in zip(*np.nonzero(below & np.isfinite(values)), strict=True):
        color = "white" if abs(values[row, column]) > 0.3 else "black"
        text = f"{values[row, column]:z.2f}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(range(len(names) - 1), labels[:-1], rotation=45, ha="right")
    ax.set_yticks(range(1, len(names)), labels[1:])
    ax.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5))
    ax.spines[:].set_visible(False)
    ax.grid(False)
    fig.colorbar(image, ax=ax, shrink=0.7, label="correlation", extend="both")
    strongest = np.argmax(np.where(below & np.isfinite(values), abs(values), -1))
    row, column = np.unravel_index(strongest, values.shape)
    title = f"Strongest pair{some}: {labels[column]} and {labels[row]}, {values[row, column]:z.2f}"
    ax.set_title(title, loc="left", wrap=True)
    return caption(fig, df)


def strength(df: pd.DataFrame) -> Figure:
    """Draw each feature's association with the outcome: linear (correlation), of any shape (Cramér's V)."""
    table = feature_strength(df).iloc[::-1]
    labels = [feature_label(name) for name in table.index]
    y = np.arange(len(table))
    fig, ax = figure(width_for(labels), height=max(2.4, 0.9 + 0.29 * len(table)))
    ax.margins(y=max(0.05, 0.5 / len(table)))
    ax.hlines(y, table["correlation"].fillna(0), table["association"], color=MUTED, lw=1)
    ax.scatter(table["association"], y, color=ACCENT, s=45, label=f"any shape ({CRAMERS_V})")
    correlation = ax.scatter(table["correlation"], y, s=45, zorder=3, label="linear (|correlation|)")
    correlation.set(facecolor="white", edgecolor="black", linewidth=1.6)
    ax.set_yticks(y, labels)
    ax.set(xlabel=f"strength of association with {current_table().target.outcome}", xlim=(-0.01, None))
    ax.legend(frameon=False, loc="lower right")
    hidden = int((table["association"] - table["correlation"]).fillna(-1).argmax())
    missed = "little"
    if table["correlation"].iloc[hidden] < table["association"].iloc[hidden] / 2:
        missed = "most of it" if hidden == len(table) - 1 else f"most of {labels[hidden]}"
    fig.suptitle(f"{labels[-1]} is strongest; correlation misses {missed}", wrap=True)
    return caption(fig, df)


def outlier_boxes(df: pd.DataFrame) -> Figure:
    """Draw each numeric feature as a box plot, in interquartile ranges from its median."""
    described = current_table()
    names, some = most_important(df, described.numeric)
    if not names:
        return note("No feature is numeric: there are no outliers.")
    spread = df[names].quantile(0.75) - df[names].quantile(0.25)
    scaled = (df[names] - df[names].median()) / spread.where(spread > 0)
    table = outliers(df).loc[names]
    labels = [
        f"{feature_label(name)}  ({f'{count:,} outliers' if spread[name] > 0 else 'no spread'})"
        for name, count in zip(names, table["customers"], strict=True)
    ]
    fig, ax = figure(width_for(labels), height=max(1.8, 1.2 + 0.4 * len(names)))
    ax.boxplot(
        [scaled[name].dropna() for name in names],
        orientation="horizontal",
        widths=0.6,
        medianprops={"color": ACCENT, "lw": 2},
        flierprops={"marker": ".", "ms": 3, "mec": "none", "mfc": MUTED, "alpha": 0.4},
    )
    ax.set_yticks(range(1, len(names) + 1), labels)
    ax.invert_yaxis()
    ax.set_xlabel("distance from the median, in interquartile ranges")
    counts, positive = table["customers"].where(spread > 0, 0), described.target.positive.label
    title, most = "There are no outliers", names[counts.argmax()]
    if counts[most]:
        title = (
            f"{table['rate'][most]:.0%} of the {feature_label(most)} outliers {drawable(positive)}; "
            f"all customers: {df[described.target_name].mean():.0%}"
        )
    fig.suptitle(title + some, wrap=True)
    return caption(fig, df)


def _outcomes() -> dict[int, tuple[str, str]]:
    """Return the two outcomes' names and colors."""
    negative, positive = map(drawable, current_table().outcomes)
    return {0: (negative, RETAINED), 1: (positive, CHURNED)}


def _overlaid(ax: Axes, df: pd.DataFrame, name: str) -> None:
    """Draw one feature's distribution for each outcome; the bars of each sum to 100%."""
    divisor, unit = scale(name, df[name])
    values = df[name].dropna() / divisor
    discrete = values.nunique() <= 15 and not (values % 1).any() and values.max() - values.min() <= 30
    edges = np.histogram_bin_edges(values, 30).tolist()
    if discrete:
        edges = (np.arange(values.min(), values.max() + 2) - 0.5).tolist()
    for outcome, (label, color) in _outcomes().items():
        part = values[df[current_table().target_name] == outcome]
        share = np.full(len(part), 1 / max(len(part), 1))
        ax.hist(part, edges, weights=share, color=color, alpha=0.2)
        ax.hist(part, edges, weights=share, color=color, histtype="step", lw=1.6, label=label)
    title = feature_label(name)
    ax.set_title(title, fontsize="large" if len(title) < 28 else "small")
    ax.set_xlabel(drawable(unit))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if discrete:
        ax.set_xticks(np.arange(values.min(), values.max() + 1))
