"""Pictures of a monitoring report: one for each kind of finding, and one of all checks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter
from sklearn.metrics import roc_curve

from helpers.config import FEATURES, NUMERIC
from helpers.monitoring.checks import KEEP, PSI_LIMITS, RETRAIN, WATCH, Finding
from helpers.monitoring.drift import FEW_VALUES
from helpers.monitoring.performance_plots import performance
from helpers.monitoring.report import Report
from helpers.plotting import CHURNED, CODED_VALUES, MUTED, REFERENCE, RETAINED, caption, figure, panels

PERCENT = PercentFormatter(1, decimals=0)
THOUSANDS = FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x >= 10_000 else f"{x:g}")
COLOURS = {KEEP: "#DCE9F2", WATCH: "#F0B840", RETRAIN: CHURNED}  # from light to dark on a grey printer
BATCH = CHURNED


def all_figures(report: Report, reference: pd.DataFrame) -> dict[str, Figure]:
    """Return every figure that the report has findings for, by name.

    Parameters
    ----------
    report : Report
    reference : DataFrame
        What the batch was compared with, with the feature columns.
    """
    found = {finding.check for finding in report.findings}
    figures = {}
    if "distribution" in found:
        figures["checks"] = check_matrix(report)
        figures["features"] = feature_distributions(report, reference)
        figures["psi"] = psi_bars(report)
        figures["domain_classifier"] = domain_roc(report)
    if "scores" in found:
        figures["scores"] = score_distributions(report)
    if "performance" in found:
        figures["performance"] = performance(report)
    return figures


def check_matrix(report: Report) -> Figure:
    """Draw every check as a cell with its effect: features in rows, and below them the model as a whole."""
    of_feature = ["distribution", "missing values", "new categories"]
    wide = [finding for finding in report.findings if finding.subject not in FEATURES]
    fig, ax = figure(width=6.5, height=0.28 * (len(FEATURES) + len(wide)) + 1.2)
    for finding in report.findings:
        if finding in wide:
            row, column, span = len(FEATURES) + 0.5 + wide.index(finding), 0, len(of_feature)
        else:
            row, column, span = FEATURES.index(finding.subject), of_feature.index(finding.check), 1
        ax.add_patch(Rectangle((column, row), span, 1, facecolor=COLOURS[finding.level], edgecolor="white"))
        ax.text(column + span / 2, row + 0.5, _effect(finding), ha="center", va="center", fontsize=8)
    names = [*FEATURES, *(f"{finding.check}: {finding.subject}" for finding in wide)]
    ax.set_yticks([row + 0.5 + 0.5 * (row >= len(FEATURES)) for row in range(len(names))], names)
    ax.set_xticks(np.arange(len(of_feature)) + 0.5, of_feature)
    ax.set(xlim=(0, len(of_feature)), ylim=(len(names) + 0.5, 0))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False)
    handles = [Patch(color=colour, label=level) for level, colour in COLOURS.items()]
    fig.legend(handles=handles, frameon=False, ncols=3, loc="outside lower left")
    fig.suptitle(f"{len(report.findings)} checks: {report.decision}")
    return caption(fig, report.table)


def feature_distributions(report: Report, reference: pd.DataFrame) -> Figure:
    """Draw every feature in the reference and in the batch, with its PSI.

    Parameters
    ----------
    report : Report
    reference : DataFrame
        With the feature columns.
    """
    fig, axes = panels(5, 2, width=6.5, height=8.6)
    changed = []
    for ax, name in zip(axes.flat, FEATURES, strict=True):
        sides = reference[name].dropna(), report.table[name].dropna()
        if name in NUMERIC and sides[0].nunique() > FEW_VALUES:
            _histograms(ax, *sides)
        else:
            _bars(ax, name, *sides)
        found = [finding for finding in report.findings if finding.subject == name]
        shown = [_effect(f) for f in found if f.check == "distribution" or f.level != KEEP]
        ax.set_title(f"{name}: {', '.join(shown)}", fontsize=9)
        if any(finding.level != KEEP for finding in found):
            changed.append(name)
            ax.set_facecolor("#FBEFE6")
        ax.tick_params(labelsize=7)
    fig.legend(handles=_sides(), frameon=False, ncols=2, loc="outside lower left")
    fig.suptitle(f"Changed: {', '.join(changed)}" if changed else "No feature changed enough to matter")
    return caption(fig, report.table)


def psi_bars(report: Report) -> Figure:
    """Draw the PSI of every feature and of the scores beside the limits."""
    found = sorted((f for f in report.findings if f.measure == "PSI"), key=lambda finding: finding.effect)
    fig, ax = figure(width=6.5, height=0.3 * len(found) + 1.3)
    names = ["scores" if finding.check == "scores" else finding.subject for finding in found]
    bars = ax.barh(names, [finding.effect for finding in found])
    for bar, finding in zip(bars, found, strict=True):
        bar.set(facecolor=COLOURS[finding.level], edgecolor=RETAINED, lw=0.8)
    ax.bar_label(bars, [f"{finding.effect:.3f}" for finding in found], padding=3, fontsize=8)
    for level, limit in zip((WATCH, RETRAIN), PSI_LIMITS, strict=True):
        ax.axvline(limit, color=MUTED, ls="--", lw=1)
        ax.text(limit, len(found) - 0.4, f" {level}", color=MUTED, fontsize=8, va="bottom")
    ax.set(xlabel="population stability index", xlim=(0, max(0.3, found[-1].effect * 1.15)))
    ax.grid(axis="y", visible=False)
    fig.suptitle(f"Furthest from the reference: {names[-1]} (PSI {found[-1].effect:.2f})")
    return caption(fig, report.table)


def domain_roc(report: Report) -> Figure:
    """Draw the ROC curve of the classifier that tells batch from reference."""
    found, domain = _of(report, "domain classifier")[0], report.domain
    false_positive, true_positive, _ = roc_curve(domain.is_batch, domain.score)
    fig, ax = figure(width=4.8, height=4.6)
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--", label="a coin")
    ax.plot(false_positive, true_positive, color=BATCH, label="out-of-fold classifier")
    ax.set(xlabel="reference taken for batch", ylabel="batch recognised", aspect="equal")
    ax.legend(frameon=False, loc="lower right")
    told = "can't be told" if found.level == KEEP else "can be told"
    interval = f"AUC {domain.auc:.3f} [{domain.low:.3f}, {domain.high:.3f}]"
    ax.set_title(f"New customers {told} from the reference\n{interval}", fontsize=11)
    return caption(fig, report.table)


def score_distributions(report: Report) -> Figure:
    """Draw the live model's probabilities for the hold-out and for the batch."""
    (found,) = _of(report, "scores")
    fig, ax = figure(width=6.5, height=3.6)
    _histograms(ax, report.holdout["probability"], report.table["probability"].dropna(), (0, 1))
    ax.axvline(found.expected, color=REFERENCE, ls="--", lw=1)
    ax.axvline(found.seen, color=BATCH, ls="--", lw=1)
    ax.set(xlabel="probability of leaving (dashed: mean)", ylabel="customers", xlim=(0, 1))
    ax.legend(handles=_sides("hold-out of the reference"), frameon=False)
    verb = "have not moved" if found.level == KEEP else "have moved"
    fig.suptitle(f"The scores {verb}: PSI {found.effect:.2f}")
    return caption(fig, report.table)


def _of(report: Report, check: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.check == check]


def _effect(finding: Finding) -> str:
    effect = f"{round(finding.effect, 2) + 0:.2f}"  # no -0.00
    if finding.measure in ("share", "difference", "rise"):
        effect = f"{finding.effect:.1%}"
    words = {"missing values": "missing", "new categories": "new"}
    return f"{words.get(finding.check, finding.measure)} {effect}"


def _sides(reference: str = "reference") -> list[Patch]:
    return [
        Patch(color=REFERENCE, alpha=0.45, label=reference),
        Patch(facecolor="none", edgecolor=BATCH, lw=1.5, label="new customers"),
    ]


def _histograms(ax: Axes, reference: pd.Series, batch: pd.Series, span: tuple | None = None) -> None:
    """Draw shares per bin, so that samples of different size compare."""
    edges = np.histogram_bin_edges(pd.concat([reference, batch]), bins=20, range=span)
    for values, style in (
        (reference, {"color": REFERENCE, "alpha": 0.45}),
        (batch, {"histtype": "step", "color": BATCH, "lw": 1.5}),
    ):
        if len(values):
            ax.hist(values, edges, weights=np.full(len(values), 1 / len(values)), **style)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.xaxis.set_major_formatter(THOUSANDS)


def _bars(ax: Axes, name: str, reference: pd.Series, batch: pd.Series) -> None:
    sides = [side.value_counts(normalize=True) for side in (reference, batch)]
    shares = pd.concat(sides, axis=1, keys=["reference", "batch"]).fillna(0).sort_index()
    at = np.arange(len(shares))
    ax.bar(at, shares["reference"], color=REFERENCE, alpha=0.45)
    ax.bar(at, shares["batch"], facecolor="none", edgecolor=BATCH, lw=1.5)
    labels = [
        CODED_VALUES.get((name, value), value) if name not in NUMERIC else f"{value:g}"
        for value in shares.index
    ]
    ax.set_xticks(at, labels)
    ax.yaxis.set_major_formatter(PERCENT)
