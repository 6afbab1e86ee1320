"""One look for every plot: colors by role, distinguishable for color-blind readers and in grayscale."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.table import current_table

# Okabe and Ito's palette.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"
PALETTE = [BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]

# By role: what a color means in every plot.
RETAINED, CHURNED = BLUE, ORANGE
TRAINING, HOLDOUT = BLUE, ORANGE
REFERENCE, CURRENT = BLUE, ORANGE
ALARM = ORANGE
ACCENT, MUTED = GREEN, GREY
GROUPS = PALETTE[2:]


LONGEST = 36  # characters of a name in a picture


def drawable(text: str) -> str:
    """Return a name as it can be drawn: without its middle if it is long, a dollar sign as such."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 12]}…{text[-11:]}"
    text = text.replace("$", r"\$")  # two of them would enclose a formula
    return f" {text}" if text.startswith("_") else text  # a legend leaves such a label out


def feature_label(feature: str) -> str:
    """Return what to call a feature in pictures: its label, else its name."""
    described = current_table().features.get(feature)
    return drawable(described.label or feature if described else feature)


def value_label(feature: str, value: object) -> str:
    """Return a feature's value in words: ``active``, ``3 products``, ``Germany``, ``missing``."""
    if value is None or value != value:  # NaN
        return "missing"
    text = f"{value:.10g}" if isinstance(value, int | float | np.number) else str(value)
    described = current_table().features.get(feature)
    return drawable(described.labels.get(text, text) if described else text)


def in_sentence(label: str) -> str:
    """Return a label without the capital of a plain word: ``age``, but ``NumOfProducts``."""
    return label[:1].lower() + label[1:] if label[1:] == label[1:].lower() and len(label) > 2 else label


def group_label(feature: str, value: object) -> str:
    """Return a group in words; with its feature, if they alone do not tell it: ``Married: Yes``."""
    described, text = current_table(), value_label(feature, value)
    same = [name for name in described.features if text in map(str, described.features[name].labels.values())]
    same += [name for name in described.categorical if text in described.choices(name)]
    clear = len(text) > 3 and text not in ("missing", "other") and set(same) == {feature}
    return text if clear else f"{feature_label(feature)}: {text}"


def figure(width: float = 6.5, height: float = 4.0) -> tuple[Figure, Axes]:
    """Return a figure with one plot, sized in inches, without a frame at the top and right.

    A notebook shows it only as the last expression of a cell.
    """
    fig, axes = panels(1, 1, width, height)
    return fig, axes[0]


def panels(
    rows: int, columns: int, width: float = 6.5, height: float = 4.0, **kwargs: Any
) -> tuple[Figure, np.ndarray]:
    """Return a figure with several plots, see `figure`.

    Returns
    -------
    Figure
    ndarray of Axes
        Of shape (rows, columns); of shape (n,) for a single row or column.
    """
    fig, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **kwargs)
    plt.close(fig)  # otherwise pyplot keeps it open, and a notebook shows it twice
    for ax in fig.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", color="#E5E5E5", lw=0.8)
        ax.set_axisbelow(True)
    return fig, np.atleast_1d(axes)


def width_for(labels: list[str], least: float = 6.5) -> float:
    """Return a figure's width in inches that leaves room for a plot beside its longest label."""
    return max(6.5, least, 3.5 + 0.08 * max(map(len, labels)))


def note(text: str) -> Figure:
    """Return a figure that says in words why there is nothing to draw."""
    fig, ax = figure(height=0.6)
    ax.axis("off")
    ax.text(0, 0.5, text, va="center", color=MUTED)
    return fig


def caption(fig: Figure, df: pd.DataFrame) -> Figure:
    """Name below a figure the file of its customers (``attrs["source"]``, set by ``data.load``)."""
    if source := df.attrs.get("source"):
        fig.supxlabel(source.replace("$", r"\$"), x=0.99, ha="right", fontsize=7, color=MUTED)
    return fig
