"""Plots of distributions in the reference and in a batch: features and scores."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, PercentFormatter

from helpers.monitoring.drift import FEW_VALUES
from helpers.monitoring.findings import KEEP, LEVELS
from helpers.monitoring.report import Report
from helpers.plotting import CURRENT, REFERENCE, caption, figure, panels, value_label
from helpers.table import current_table

PERCENT = PercentFormatter(1, decimals=0)
THOUSANDS = FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 10_000 else f"{x:g}")
MOST_PANELS = 20
TINT = "#FBEFE6"  # background of a feature that changed


def feature_distributions(report: Report) -> Figure:
    """Draw every feature in the reference's training part and in the batch, with its PSI."""
    names = _most_changed(report)
    rows = math.ceil(len(names) / 2)
    fig, axes = panels(rows, 2, width=6.5, height=1.72 * rows)
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    changed = []
    for ax, name in zip(axes.flat, names, strict=False):
        samples = report.training[name].dropna(), report.table[name].dropna()
        if name in current_table().numeric and samples[0].nunique() > FEW_VALUES:
            _histograms(ax, *samples)
        else:
            _bars(ax, name, *samples)
        findings = [finding for finding in report.findings if finding.subject == name]
        labels = [f.effect_label for f in findings if f.check == "distribution" or f.level != KEEP]
        ax.set_title(f"{name}: {', '.join(labels)}", fontsize=9)
        if any(finding.level != KEEP for finding in findings):
            changed.append(name)
            ax.set_facecolor(TINT)
        ax.tick_params(labelsize=7)
    fig.legend(handles=_legend(), frameon=False, ncols=2, loc="outside lower left")
    title = f"Changed: {', '.join(changed)}" if changed else "No feature changed enough to matter"
    n_features = len(current_table().feature_names)
    if len(names) < n_features:
        title += f"\n(the {len(names)} of {n_features} features that changed most)"
    fig.suptitle(textwrap.fill(title, 90, replace_whitespace=False))
    return caption(fig, report.table)


def _most_changed(report: Report) -> list[str]:
    """Return the features with the largest findings, in the model's order."""
    severity = {name: (0, 0.0) for name in current_table().feature_names}
    for finding in report.findings:
        if finding.subject in severity:
            found = LEVELS.index(finding.level), finding.effect
            severity[finding.subject] = max(severity[finding.subject], found)
    most = sorted(severity, key=severity.__getitem__, reverse=True)[:MOST_PANELS]
    return [name for name in severity if name in most]


def score_distributions(report: Report) -> Figure:
    """Draw the production model's scores of the hold-out and of the batch."""
    (finding,) = report.of_check("scores")
    holdout, batch = report.holdout["probability"], report.table["probability"].dropna()
    fig, ax = figure(width=6.5, height=3.6)
    _histograms(ax, holdout, batch, (0, 1))
    ax.axvline(holdout.mean(), color=REFERENCE, ls="--", lw=1)
    ax.axvline(batch.mean(), color=CURRENT, ls="--", lw=1)
    outcome = current_table().target.outcome
    ax.set(xlabel=f"{outcome} probability (dashed: mean)", ylabel="customers", xlim=(0, 1))
    ax.legend(handles=_legend("hold-out of the reference"), frameon=False)
    verb = "have not shifted" if finding.level == KEEP else "have shifted"
    fig.suptitle(f"The scores {verb}: PSI {finding.effect:.2f}")
    return caption(fig, report.table)


def _legend(reference: str = "reference") -> list[Patch]:
    return [
        Patch(color=REFERENCE, alpha=0.45, label=reference),
        Patch(facecolor="none", edgecolor=CURRENT, lw=1.5, label="new customers"),
    ]


def _histograms(
    ax: Axes, reference: pd.Series, batch: pd.Series, limits: tuple[float, float] | None = None
) -> None:
    """Draw shares per bin, so that samples of different sizes can be compared."""
    edges = np.histogram_bin_edges(pd.concat([reference, batch]), bins=20, range=limits).tolist()
    if len(reference):
        weights = np.full(len(reference), 1 / len(reference))
        ax.hist(reference, edges, weights=weights, color=REFERENCE, alpha=0.45)
    if len(batch):
        weights = np.full(len(batch), 1 / len(batch))
        ax.hist(batch, edges, weights=weights, histtype="step", color=CURRENT, lw=1.5)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.xaxis.set_major_formatter(THOUSANDS)


def _bars(ax: Axes, name: str, reference: pd.Series, batch: pd.Series) -> None:
    shares = pd.DataFrame(
        {
            "reference": reference.value_counts(normalize=True),
            "batch": batch.value_counts(normalize=True),
        }
    )
    shares = shares.fillna(0).sort_index()
    positions = np.arange(len(shares))
    ax.bar(positions, shares["reference"], color=REFERENCE, alpha=0.45)
    ax.bar(positions, shares["batch"], facecolor="none", edgecolor=CURRENT, lw=1.5)
    numeric = name in current_table().numeric  # its axis has the unit
    labels = [f"{value:g}" if numeric else value_label(name, value) for value in shares.index]
    ax.set_xticks(positions, labels)
    ax.yaxis.set_major_formatter(PERCENT)
