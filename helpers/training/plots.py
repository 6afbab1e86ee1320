"""Plots of one training: the grid, the gap between training and validation, the hold-out, the costs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

from helpers.plotting import ACCENT, HOLDOUT, MUTED, PALETTE, TRAINING, figure, panels
from helpers.table import current_table
from helpers.training.costs import costs_by_threshold
from helpers.training.threshold import Threshold


def training_plots(
    cv_results: Mapping[str, Any], best: int, model: BaseEstimator, X: pd.DataFrame, y: pd.Series
) -> dict[str, Figure]:
    """Return every plot of a training by name; ``X`` and ``y`` are the hold-out."""
    return {
        "grid_scores": grid_scores(cv_results),
        "train_validation_gap": train_validation_gap(cv_results, best),
        "roc_and_precision_recall": roc_and_precision_recall(model, X, y),
        "confusion": confusion(model, X, y),
        "calibration": calibration(model, X, y),
    }


def grid_scores(cv_results: Mapping[str, Any]) -> Figure:
    """Draw the mean validation F1 of every combination, with one standard deviation over the folds.

    The hyperparameter with most values is on the x axis, the next ones are color, panel and line style. If
    there are more, each point is the best combination over the others.
    """
    table = _combinations(cv_results)
    count = len(table)
    order = {name: list(dict.fromkeys(table[name])) for name in table.columns.drop(["f1", "std"])}
    x, *others = sorted(order, key=lambda name: -len(order[name]))[:4]
    color, panel, style = [*others, None, None, None][:3]
    table = table.loc[table.groupby([x, *others], sort=False)["f1"].idxmax()]
    values = order[panel] if panel else [None]
    fig, axes = panels(1, len(values), width=max(6.5, 4.2 * len(values)), sharey=True)
    for ax, value in zip(axes, values, strict=True):
        part = table[table[panel] == value] if panel else table
        _lines(ax, part, x, color, style, order)
        ax.set(xlabel=x, title=f"{panel} = {value}" if panel else "")
    axes[0].set_ylabel("mean validation F1 (5 folds)")
    if color:
        axes[-1].legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    fig.suptitle(f"Best mean validation F1 {table['f1'].max():.3f}, over {count} combinations")
    return fig


def train_validation_gap(cv_results: Mapping[str, Any], best: int) -> Figure:
    """Draw every combination's training F1 against its validation F1; right of the diagonal is overfit."""
    fig, ax = figure(width=5.5, height=4.5)
    train, val = cv_results["mean_train_f1"], cv_results["mean_test_f1"]
    low, high = min(train.min(), val.min()) - 0.02, max(train.max(), val.max()) + 0.02
    ax.plot([low, high], [low, high], color=MUTED, lw=1, ls="--", label="no gap")
    ax.scatter(train, val, color=TRAINING, alpha=0.7, label="combination")
    ax.scatter(train[best], val[best], color=ACCENT, s=90, marker="*", zorder=3, label="best")
    ax.set(xlabel="mean training F1", ylabel="mean validation F1", xlim=(low, high))
    ax.set_title(f"The best combination loses {train[best] - val[best]:.3f} F1 on unseen customers")
    ax.legend(frameon=False)
    return fig


def roc_and_precision_recall(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the ROC and the precision-recall curve on the hold-out, with the chance level."""
    fig, (ax_roc, ax_pr) = panels(1, 2, width=9.5, height=4.2)
    options = {"plot_chance_level": True, "name": "model", "curve_kwargs": {"color": HOLDOUT, "lw": 2}}
    RocCurveDisplay.from_estimator(model, X, y, ax=ax_roc, **options)
    PrecisionRecallDisplay.from_estimator(model, X, y, ax=ax_pr, **options)
    ax_roc.set(title="Ranking: ROC", xlabel="false positive rate", ylabel="true positive rate")
    ax_pr.set(title="Finding churners: precision and recall", xlabel="recall", ylabel="precision")
    for ax, place in ((ax_roc, "lower right"), (ax_pr, "upper right")):
        ax.legend(frameon=False, fontsize="small", loc=place)
    return fig


def confusion(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the hold-out's confusion matrix: counts, and the share of each true class."""
    fig, ax = figure(width=4.8, height=4.2)
    display = ConfusionMatrixDisplay.from_estimator(
        model, X, y, ax=ax, display_labels=current_table().outcomes, cmap="Blues", colorbar=False
    )
    counts = display.confusion_matrix
    shares = counts / counts.sum(axis=1, keepdims=True)
    for text, count, share in zip(display.text_.ravel(), counts.ravel(), shares.ravel(), strict=True):
        text.set_text(f"{count}\n{share:.0%}")
    ax.grid(False)
    ax.set(title=f"{counts[1, 1]} of {counts[1].sum()} churners found", xlabel="predicted", ylabel="true")
    return fig


def calibration(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the observed churn rate against the predicted probability, over ten groups of equal size."""
    fig, (ax, ax_counts) = panels(2, 1, width=5.2, height=5.2, sharex=True, height_ratios=[3, 1])
    CalibrationDisplay.from_estimator(
        model, X, y, n_bins=10, strategy="quantile", ax=ax, name="model", color=HOLDOUT
    )
    outcome = current_table().target.outcome
    ax.set(title="Is a probability of 0.3 really 30%?", xlabel="", ylabel=f"observed {outcome} rate")
    ax.legend(frameon=False)
    ax_counts.hist(model.predict_proba(X)[:, 1], bins=30, range=(0, 1), color=MUTED)
    ax_counts.set(xlabel=f"predicted {outcome} probability", ylabel="customers")
    return fig


def cost_curve(y: ArrayLike, probability: ArrayLike, threshold: Threshold) -> Figure:
    """Draw the cost per customer against the threshold, with the chosen one and 0.5."""
    values, costs = costs_by_threshold(y, probability, threshold.missed_cost, threshold.wasted_cost)
    fig, ax = figure(width=6.5, height=3.8)
    ax.plot(values, costs, color=TRAINING, drawstyle="steps-post")
    ax.axhline(threshold.cost_nobody, color=MUTED, ls=":", label="contact nobody")
    ax.axhline(threshold.cost_everybody, color=MUTED, ls="--", label="contact everybody")
    ax.scatter(min(threshold.value, 1), threshold.cost, color=ACCENT, zorder=3, s=60, label="chosen")
    ax.scatter(0.5, threshold.cost_half, color=MUTED, zorder=3, marker="x", label="0.5")
    ax.set(xlabel="decision threshold", ylabel="cost per customer", xlim=(0, 1))
    saved = min(threshold.cost_nobody, threshold.cost_everybody) - threshold.cost
    ax.set_title(f"The model saves {saved:.3f} per customer at a threshold of {threshold.value:.2f}")
    ax.legend(frameon=False, ncols=2)
    return fig


def _combinations(cv_results: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per combination: its hyperparameters as text, ``f1`` and ``std``."""
    rows = [{key.split("__")[-1]: str(value) for key, value in p.items()} for p in cv_results["params"]]
    return pd.DataFrame(rows).assign(f1=cv_results["mean_test_f1"], std=cv_results["std_test_f1"])


def _lines(
    ax: Axes,
    table: pd.DataFrame,
    x: str,
    color: str | None,
    style: str | None,
    order: Mapping[str, list[str]],
) -> None:
    """Draw one line per value of ``color`` and of ``style``."""
    position = {value: i for i, value in enumerate(order[x])}
    for i, color_value in enumerate(order[color] if color else [""]):
        for line, style_value in zip(["-", "--", ":", "-."], order[style] if style else [""], strict=False):
            part, labels = table, []
            for name, value in ((color, color_value), (style, style_value)):
                if name:
                    part = part[part[name] == value]
                    labels.append(f"{name} = {value}")
            ax.errorbar(
                part[x].map(position),
                part["f1"],
                part["std"],
                fmt="o",
                label=", ".join(labels),
                color=PALETTE[i % len(PALETTE)],
                ls=line,
                ms=4,
                capsize=2,
                elinewidth=0.6,
            )
    ax.set_xticks(range(len(position)), list(position))
