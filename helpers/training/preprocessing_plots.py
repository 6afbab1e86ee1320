"""Plots of what the feature pipeline does to the columns, and of leakage."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from helpers.plotting import HOLDOUT, MUTED, PALETTE, TRAINING, caption, figure, panels

STEPS = {"scale": "standard-scaled", "encode": "one-hot encoded", "keep": "passed through"}


def pipeline_flow(prepare: ColumnTransformer) -> Figure:
    """Draw which column becomes which; ``prepare`` is fitted."""
    outputs = list(prepare.get_feature_names_out())
    fig, ax = figure(width=7.5, height=max(4.6, 0.3 * len(outputs)))
    row_in = row_out = 0
    for number, (step, transformer, columns) in enumerate(prepare.transformers_):
        color = PALETTE[number]
        arrow = {"arrowstyle": "->", "color": color, "lw": 1.2}
        middle = []
        for name, count in zip(columns, _widths(transformer, columns), strict=True):
            rows = range(row_out, row_out + count)
            ax.text(0, row_in, name, ha="right", va="center", color=color)
            for row in rows:
                ax.annotate("", (2, row), (0.05, row_in), arrowprops=arrow)
                ax.text(2.05, row, outputs[row].removeprefix(f"{step}__"), va="center", color=color)
            middle.append((row_in + float(np.mean(rows))) / 2)
            row_in, row_out = row_in + 1, row_out + count
        box = {"facecolor": "white", "edgecolor": color, "boxstyle": "round"}
        y = sum(middle) / len(middle)
        ax.text(1, y, _caption(step), ha="center", va="center", color=color, weight="bold", bbox=box)
    ax.set(xlim=(-0.8, 2.9), ylim=(row_out - 0.4, -0.6))
    ax.axis("off")
    ax.set_title(f"{row_in} columns in, {row_out} numbers per customer out")
    return fig


def _widths(transformer: BaseEstimator, columns: Sequence[str]) -> list[int]:
    """Return how many numbers each column becomes."""
    encoder = transformer[-1] if isinstance(transformer, Pipeline) else transformer
    if not isinstance(encoder, OneHotEncoder):
        return [1] * len(columns)
    dropped = encoder.drop_idx_ if encoder.drop_idx_ is not None else [None] * len(columns)
    return [len(found) - (drop is not None) for found, drop in zip(encoder.categories_, dropped, strict=True)]


def _caption(step: str) -> str:
    step, _, missing = step.partition("_")
    return f"{STEPS[step]}\nmissing: {missing.replace('_', ' ')}" if missing else STEPS[step]


def distance_shares(X: pd.DataFrame, prepare: ColumnTransformer) -> Figure:
    """Draw each column's share of the mean squared distance between two customers, before and after."""
    after = pd.DataFrame(prepare.transform(X), columns=prepare.get_feature_names_out()).var()
    after.index = [name.split("__", 1)[1] for name in after.index]
    before = X.select_dtypes("number").var()
    fig, axes = panels(1, 2, width=9, height=max(3.8, 0.22 * len(after)), sharex=True)
    for ax, variances, title in zip(axes, (before, after), ("as read", "after the pipeline"), strict=True):
        shares = variances[::-1] / variances.sum()
        ax.barh(shares.index, shares, color=TRAINING)
        ax.set(title=title, xlabel="share of the squared distance")
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid(axis="y", visible=False)
    largest = before.nlargest(2)
    fig.suptitle(
        f"Unscaled, {largest.index[0]} and {largest.index[1]} make up "
        f"{largest.sum() / before.sum():.0%} of the distance between customers"
    )
    return caption(fig, X)


def leakage(table: pd.DataFrame) -> Figure:
    """Draw the F1 of cross-validation against the hold-out's; ``table`` is from ``leakage_effect``."""
    y = np.arange(len(table))
    validation, hold_out = table["cross-validation"], table["hold-out"]
    fig, ax = figure(width=6.5, height=2.8)
    ax.hlines(y, hold_out, validation, color=MUTED, lw=1.5)
    ax.scatter(hold_out, y, color=HOLDOUT, s=70, marker="D", label="hold-out", zorder=3)
    ax.scatter(validation, y, color=TRAINING, s=70, label="cross-validation", zorder=3)
    ax.set_yticks(y, table.index)
    ax.set(xlabel="F1", xlim=(0, 1), ylim=(len(table) - 0.5, -0.5))
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    worst = int((validation - hold_out).argmax())
    ax.set_title(
        f'"{table.index[worst]}": {validation.iloc[worst]:.2f} in cross-validation, '
        f"{hold_out.iloc[worst]:.2f} on the hold-out",
        loc="right",
    )
    return caption(fig, table)
