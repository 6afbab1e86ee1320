"""Plots of checks, colored by level: all checks of one batch, or of several batches side by side."""

import textwrap
from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from helpers.monitoring.findings import KEEP, LEVELS, RETRAIN, WATCH, Finding
from helpers.monitoring.report import Report
from helpers.plotting import ALARM, MUTED, caption, figure
from helpers.table import current_table

LEVEL_COLORS = {KEEP: "#DCE9F2", WATCH: "#F0B840", RETRAIN: ALARM}  # from light to dark in grayscale
FEATURE_CHECKS = ("distribution", "missing values", "new categories")


def check_matrix(report: Report) -> Figure:
    """Draw every check as a cell with its effect: one row per feature, then the checks of the model."""
    model_findings = [finding for finding in report.findings if finding.check not in FEATURE_CHECKS]
    features = current_table().feature_names
    names = [*features, *(f"{finding.check}: {finding.subject}" for finding in model_findings)]
    tops = np.arange(len(names)) + 0.5 * (np.arange(len(names)) >= len(features))  # a gap below the features
    fig, ax = figure(width=6.5, height=0.28 * len(names) + 1.2)
    for finding in report.findings:
        if finding.check in FEATURE_CHECKS:
            row, column, width = features.index(finding.subject), FEATURE_CHECKS.index(finding.check), 1
        else:
            row, column, width = len(features) + model_findings.index(finding), 0, len(FEATURE_CHECKS)
        _cell(ax, column, tops[row], finding.level, finding.effect_label, width=width)
    _format_grid(ax, tops, names, FEATURE_CHECKS)
    _level_legend(fig)
    fig.suptitle(f"{len(report.findings)} checks: {report.decision}")
    return caption(fig, report.table)


def check_overview(reports: Mapping[str, Report]) -> Figure:
    """Draw the checks of several batches side by side: the most severe finding of each check, by batch.

    Parameters
    ----------
    reports : mapping
        By the name of the batch.
    """
    findings = {batch: _by_row(report.findings) for batch, report in reports.items()}
    rows = list(dict.fromkeys(row for by_row in findings.values() for row in by_row))
    tops = np.arange(len(rows) + 1) + 0.3 * (np.arange(len(rows) + 1) == len(rows))  # the decision set apart
    fig, ax = figure(width=8.4, height=0.42 * len(tops) + 1.3)
    for column, (batch, report) in enumerate(reports.items()):
        for top, row in zip(tops, rows, strict=False):
            if row in findings[batch]:
                _cell(ax, column, top, *_most_severe(findings[batch][row]))
            else:
                ax.text(
                    column + 0.5, top + 0.5, "not checked", ha="center", va="center", fontsize=7, color=MUTED
                )
        _cell(ax, column, tops[-1], report.decision, report.decision)
    _format_grid(ax, tops, [*rows, "decision"], [textwrap.fill(batch, 14) for batch in reports])
    _level_legend(fig)
    count = sum(report.decision == RETRAIN for report in reports.values())
    fig.suptitle(f"Retrain for {count} of {len(reports)} batches")
    return fig


def _by_row(findings: list[Finding]) -> dict[str, list[Finding]]:
    """Group findings by the rows of `check_overview`: by check, and performance by metric."""
    rows: dict[str, list[Finding]] = {}
    for finding in findings:
        row = f"performance: {finding.subject}" if finding.check == "performance" else finding.check
        rows.setdefault(row, []).append(finding)
    return rows


def _most_severe(findings: list[Finding]) -> tuple[str, str]:
    """Return the highest level, and the effect with the features that have it."""
    level = max((finding.level for finding in findings), key=LEVELS.index)
    severe = [finding for finding in findings if finding.level == level]
    label = max(severe, key=lambda finding: finding.effect).effect_label
    names = [finding.subject for finding in severe if finding.check in FEATURE_CHECKS]
    return level, label if level == KEEP or not names else f"{', '.join(names)}\n{label}"


def _cell(ax: Axes, column: int, top: float, level: str, text: str, width: int = 1) -> None:
    ax.add_patch(Rectangle((column, top), width, 1, facecolor=LEVEL_COLORS[level], edgecolor="white"))
    ax.text(column + width / 2, top + 0.5, text, ha="center", va="center", fontsize=8)


def _format_grid(ax: Axes, tops: np.ndarray, rows: list[str], columns: Iterable[str]) -> None:
    labels = list(columns)
    ax.set_yticks(tops + 0.5, rows)
    ax.set_xticks(np.arange(len(labels)) + 0.5, labels)
    ax.set(xlim=(0, len(labels)), ylim=(tops[-1] + 1, 0))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False)


def _level_legend(fig: Figure) -> None:
    handles = [Patch(color=color, label=level) for level, color in LEVEL_COLORS.items()]
    fig.legend(handles=handles, frameon=False, ncols=3, loc="outside lower left")
