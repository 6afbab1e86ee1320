"""The picture of what finally counts: whether scores, churn rate and cost are what they were said to be."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.monitoring.checks import KEEP, Finding
from helpers.monitoring.report import Report
from helpers.plotting import CHURNED, RETAINED, caption, panels

# What the figure on the left was: a promise, what the scores lead to expect, what the hold-out paid.
BEFORE = {"churn rate": "expected", "cost": "hold-out"}
TITLES = {"cost": "cost a customer"}


def performance(report: Report) -> Figure:
    """Draw F1, ROC AUC, cost and churn rate in the batch beside what was promised, with 95 % intervals.

    A panel each: a cost has the unit of the bank's costs, a score has none.
    """
    found = [finding for finding in report.findings if finding.check in ("performance", "calibration")]
    fig, axes = panels(1, len(found), width=2.1 * len(found), height=3.4)
    for ax, finding in zip(axes, found, strict=True):
        _sides(ax, finding)
    broken = [finding.subject for finding in found if finding.level != KEEP]
    fig.suptitle(f"The promise is broken: {', '.join(broken)}" if broken else "The promise holds")
    return caption(fig, report.table)


def _sides(ax: Axes, finding: Finding) -> None:
    sides = (finding.expected, finding.expected_interval), (finding.seen, finding.seen_interval)
    for at, ((value, interval), colour) in enumerate(zip(sides, (RETAINED, CHURNED), strict=True)):
        error = np.abs(np.subtract(interval, value))[:, None]
        ax.errorbar(at, value, yerr=error, fmt="o", color=colour, capsize=4, lw=1.6, ms=7)
        ax.annotate(f"{value:.3f}", (at, value), (9, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_xticks([0, 1], [BEFORE.get(finding.subject, "promised"), "seen"])
    ax.set(xlim=(-0.4, 1.7))
    ax.set_title(f"{TITLES.get(finding.subject, finding.subject)}: {finding.level}", fontsize=10)
    ax.margins(y=0.25)
