"""Pictures of the split and of what the feature pipeline does to the columns."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.compose import ColumnTransformer

from helpers.config import FOLDS, folds
from helpers.data import Split
from helpers.eda import wilson_interval
from helpers.plotting import ACCENT, CHURNED, MUTED, PALETTE, RETAINED, caption, figure, panels

WORDS = {"scale": "standard-scaled", "encode": "one-hot encoded", "keep": "kept as they are"}


def split_rates(parts: Split) -> Figure:
    """Draw the churn rate of the training part, its five validation folds and the hold-out."""
    outcomes = {"training": parts.y_train}
    validation = [rows for _, rows in folds().split(parts.X_train, parts.y_train)]
    outcomes |= {f"fold {i}": parts.y_train.iloc[rows] for i, rows in enumerate(validation, 1)}
    outcomes |= {"hold-out": parts.y_test}
    left, n = (np.array([function(y) for y in outcomes.values()]) for function in (np.sum, len))
    low, high = wilson_interval(left, n)
    colours = [RETAINED, *[MUTED] * FOLDS, CHURNED]
    fig, ax = figure(width=6.5, height=3.2)
    for x, colour in enumerate(colours):
        ax.plot([x, x], [low[x], high[x]], color=colour, lw=2)
        ax.plot(x, left[x] / n[x], "o", color=colour, ms=7)
        ax.annotate(
            f"{left[x] / n[x]:.2%}", (x, high[x]), (0, 4), textcoords="offset points", ha="center", fontsize=8
        )
    ax.set_xticks(range(len(n)), [f"{name}\nn = {count:,}" for name, count in zip(outcomes, n, strict=True)])
    ax.set(ylabel="churn rate, with 95 % interval", ylim=(0, high.max() * 1.2))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_title("Stratified: the same share of leavers in every part")
    return caption(fig, parts.X_train)


def pipeline_flow(prepare: ColumnTransformer) -> Figure:
    """Draw which column becomes which; ``prepare`` is fitted."""
    fig, ax = figure(width=7.5, height=4.6)
    outputs = list(prepare.get_feature_names_out())
    row_in = row_out = 0
    for number, (step, _, columns) in enumerate(prepare.transformers_):
        colour = PALETTE[number]
        middle = []
        for name in columns:
            made = [output for output in outputs if output.startswith(f"{step}__{name}")]
            rows = np.arange(row_out, row_out + len(made))
            ax.text(0, row_in, name, ha="right", va="center", color=colour)
            for row, output in zip(rows, made, strict=True):
                ax.annotate(
                    "", (2, row), (0.05, row_in), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.2}
                )
                ax.text(2.05, row, output.removeprefix(f"{step}__"), va="center", color=colour)
            middle.append((row_in + rows.mean()) / 2)
            row_in, row_out = row_in + 1, row_out + len(made)
        ax.text(
            1,
            np.mean(middle),
            WORDS[step],
            ha="center",
            va="center",
            color=colour,
            weight="bold",
            bbox={"facecolor": "white", "edgecolor": colour, "boxstyle": "round"},
        )
    ax.set(xlim=(-0.8, 2.9), ylim=(row_out - 0.4, -0.6))
    ax.axis("off")
    ax.set_title(f"{row_in} columns in, {row_out} numbers per customer out")
    return fig


def distance_shares(X: pd.DataFrame, prepare: ColumnTransformer) -> Figure:
    """Draw each column's share of the mean squared distance between two customers, before and after."""
    after = pd.DataFrame(prepare.transform(X), columns=prepare.get_feature_names_out()).var()
    after.index = [name.split("__", 1)[1] for name in after.index]
    before = X.select_dtypes("number").var()
    fig, axes = panels(1, 2, width=9, height=3.8, sharex=True)
    for ax, variances, title in zip(axes, (before, after), ("as read", "after the pipeline"), strict=True):
        shares = variances[::-1] / variances.sum()
        ax.barh(shares.index, shares, color=RETAINED)
        ax.set(title=title, xlabel="share of the squared distance")
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid(axis="y", visible=False)
    biggest = before.nlargest(2)
    share = biggest.sum() / before.sum()
    fig.suptitle(
        f"Unscaled, {biggest.index[0]} and {biggest.index[1]} are {share:.0%} of how far customers lie apart"
    )
    return caption(fig, X)


def leakage(table: pd.DataFrame) -> Figure:
    """Draw claimed against kept F1; ``table`` is from ``leakage.leakage_effect``."""
    y = np.arange(len(table))
    fig, ax = figure(width=6.5, height=2.8)
    ax.hlines(y, table["kept"], table["claimed"], color=MUTED, lw=1.5)
    ax.scatter(table["kept"], y, color=ACCENT, s=70, marker="D", label="on customers kept aside", zorder=3)
    ax.scatter(table["claimed"], y, color=CHURNED, s=70, label="claimed by cross-validation", zorder=3)
    ax.set_yticks(y, table.index)
    ax.set(xlabel="F1", xlim=(0, 1), ylim=(len(table) - 0.5, -0.5))
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    worst = (table["claimed"] - table["kept"]).idxmax()
    ax.set_title(
        f'"{worst}" claims {table.loc[worst, "claimed"]:.2f}, true is {table.loc[worst, "kept"]:.2f}'
    )
    return caption(fig, table)
