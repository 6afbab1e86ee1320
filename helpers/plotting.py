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


def value_label(feature: str, value: object) -> str:
    """Return a feature's value in words: ``active``, ``3 products``, ``Germany``."""
    text = f"{value:g}" if isinstance(value, int | float | np.number) else str(value)
    described = current_table().features.get(feature)
    return described.labels.get(text, text) if described else text


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


def caption(fig: Figure, df: pd.DataFrame) -> Figure:
    """Name below a figure the file of its customers (``attrs["source"]``, set by ``data.load``)."""
    if source := df.attrs.get("source"):
        fig.supxlabel(source, x=0.99, ha="right", fontsize=7, color=MUTED)
    return fig
