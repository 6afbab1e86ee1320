"""Plots of monitoring reports."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from helpers.monitoring.check_plots import LEVEL_COLORS, check_matrix, check_overview
from helpers.monitoring.distribution_plots import feature_distributions, score_distributions
from helpers.monitoring.findings import KEEP, LIMITS, RETRAIN, WATCH, Finding
from helpers.monitoring.report import Report
from helpers.plotting import CURRENT, MUTED, REFERENCE, caption, figure, panels

__all__ = [
    "check_matrix",
    "check_overview",
    "domain_roc",
    "feature_distributions",
    "performance",
    "psi_bars",
    "report_plots",
    "score_distributions",
]


def report_plots(report: Report) -> dict[str, Figure]:
    """Return every plot that the report has findings for, by name."""
    plots = {}
    if report.of_check("distribution"):
        plots["checks"] = check_matrix(report)
        plots["features"] = feature_distributions(report)
        plots["psi"] = psi_bars(report)
        plots["domain_classifier"] = domain_roc(report)
    if report.of_check("scores"):
        plots["scores"] = score_distributions(report)
    if report.of_check("performance"):
        plots["performance"] = performance(report)
    return plots


def psi_bars(report: Report) -> Figure:
    """Draw the PSI of every feature and of the scores, with the limits."""
    findings = sorted((f for f in report.findings if f.measure == "PSI"), key=lambda finding: finding.effect)
    names = ["scores" if finding.check == "scores" else finding.subject for finding in findings]
    fig, ax = figure(width=6.5, height=0.3 * len(findings) + 1.3)
    bars = ax.barh(
        names,
        [finding.effect for finding in findings],
        color=[LEVEL_COLORS[finding.level] for finding in findings],
        edgecolor=MUTED,
        lw=0.8,
    )
    ax.bar_label(bars, [f"{finding.effect:.3f}" for finding in findings], padding=3, fontsize=8)
    for level, limit in zip((WATCH, RETRAIN), LIMITS["PSI"], strict=True):
        ax.axvline(limit, color=MUTED, ls="--", lw=1)
        ax.text(limit, len(findings) - 0.4, f" {level}", color=MUTED, fontsize=8, va="bottom")
    ax.set(xlabel="population stability index", xlim=(0, max(0.3, findings[-1].effect * 1.15)))
    ax.grid(axis="y", visible=False)
    fig.suptitle(f"Largest shift: {names[-1]} (PSI {findings[-1].effect:.2f})")
    return caption(fig, report.table)


def domain_roc(report: Report) -> Figure:
    """Draw the ROC curve of the classifier that tells batch from reference."""
    (finding,), domain = report.of_check("domain classifier"), report.domain
    if domain is None:
        raise ValueError("the report has no domain classifier: the batch is too small")
    false_positive_rate, true_positive_rate, _ = roc_curve(domain.is_batch, domain.score)
    fig, ax = figure(width=4.8, height=4.6)
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--", label="chance")
    ax.plot(false_positive_rate, true_positive_rate, color=CURRENT, label="out-of-fold classifier")
    ax.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    ax.legend(frameon=False, loc="lower right")
    verb = "cannot" if finding.level == KEEP else "can"
    interval = f"AUC {domain.auc:.3f} [{domain.low:.3f}, {domain.high:.3f}]"
    ax.set_title(f"New customers {verb} be distinguished from the reference\n{interval}", fontsize=11)
    return caption(fig, report.table)


def performance(report: Report) -> Figure:
    """Draw F1, ROC AUC, cost and churn rate in the batch beside the baseline, with 95% intervals.

    One panel each: a cost has the unit of the bank's costs, a score has none.
    """
    findings = report.of_check("performance", "calibration")
    fig, axes = panels(1, len(findings), width=2.1 * len(findings), height=3.4)
    for ax, finding in zip(axes, findings, strict=True):
        _compare(ax, finding)
    degraded = [finding.subject for finding in findings if finding.level != KEEP]
    title = f"Performance degraded: {', '.join(degraded)}" if degraded else "Performance has not degraded"
    fig.suptitle(title)
    return caption(fig, report.table)


def _compare(ax: Axes, finding: Finding) -> None:
    """Draw the reference's and the batch's value of one finding."""
    values = np.array([finding.reference, finding.current], dtype="float64")
    intervals = np.array([finding.reference_interval, finding.current_interval], dtype="float64")
    for x, color in enumerate((REFERENCE, CURRENT)):
        error = np.abs(intervals[x] - values[x])[:, None]
        ax.errorbar(x, values[x], yerr=error, fmt="o", color=color, capsize=4, lw=1.6, ms=7)
        ax.annotate(
            f"{values[x]:.3f}", (x, values[x]), (9, 0), textcoords="offset points", va="center", fontsize=8
        )
    reference = "hold-out" if finding.subject == "cost" else "baseline"
    if finding.check == "calibration":
        reference = "expected"
    ax.set_xticks([0, 1], [reference, "batch"])
    ax.set(xlim=(-0.4, 1.7))
    subject = "cost per customer" if finding.subject == "cost" else finding.subject
    ax.set_title(f"{subject}: {finding.level}", fontsize=10)
    ax.margins(y=0.25)
