"""One look for every figure: colours that colour-blind readers tell apart and that survive a grey printer."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette.
STAYED, LEFT, ACCENT, MUTED = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"
PALETTE = [STAYED, LEFT, ACCENT, "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]


def figure(
    rows: int = 1, columns: int = 1, width: float = 6.5, height: float = 4.0, **kwargs
) -> tuple[Figure, Axes]:
    """Return a figure and its axes, sized in inches, without the frame's upper and right edge.

    A notebook shows it where it is a cell's last expression, and nowhere else.
    """
    fig, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **kwargs)
    plt.close(fig)  # else pyplot keeps it open, and a notebook draws it a second time
    for ax in fig.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", color="#E5E5E5", lw=0.8)
        ax.set_axisbelow(True)
    return fig, axes


def caption(fig: Figure, df: pd.DataFrame) -> Figure:
    """Write below a figure which customers it shows (``attrs["source"]``, set by ``data.load``)."""
    if source := df.attrs.get("source"):
        fig.supxlabel(source, x=0.99, ha="right", fontsize=7, color=MUTED)
    return fig
