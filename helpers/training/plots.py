"""Pictures of one training: the grid, the gap between training and validation, and the hold-out."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

from helpers.plotting import ACCENT, CHURNED, MUTED, PALETTE, RETAINED, figure, panels
from helpers.training.costs import costs_by_threshold
from helpers.training.threshold import Threshold


def training_figures(
    cv_results: dict, best: int, model: BaseEstimator, X: pd.DataFrame, y: pd.Series
) -> dict[str, Figure]:
    """Return every picture of a training by name; ``X`` and ``y`` are the hold-out."""
    return {
        "grid_scores": grid_scores(cv_results),
        "train_validation_gap": train_validation_gap(cv_results, best),
        "roc_and_precision_recall": roc_and_precision_recall(model, X, y),
        "confusion": confusion(model, X, y),
        "calibration": calibration(model, X, y),
    }


def grid_scores(cv_results: dict) -> Figure:
    """Draw the mean validation F1 of every combination.

    The hyperparameter with most values lies along x, the next are colour, panel and line style; over any
    further ones the best combination is shown. Bars span one standard deviation over the folds.
    """
    table = _combinations(cv_results)
    order = {name: list(dict.fromkeys(table[name])) for name in table.columns.drop(["f1", "std"])}
    names = sorted(order, key=lambda name: -len(order[name]))
    x, colour, panel, style = (names + [None] * 4)[:4]
    table = table.loc[table.groupby([n for n in names[:4]], sort=False)["f1"].idxmax()]
    shown = order[panel] if panel else [None]
    fig, axes = panels(1, len(shown), width=max(6.5, 4.2 * len(shown)), sharey=True)
    for ax, value in zip(axes, shown, strict=True):
        part = table[table[panel] == value] if panel else table
        _lines(ax, part, x, colour, style, order)
        ax.set(xlabel=x, title=f"{panel} = {value}" if panel else "")
    axes[0].set_ylabel("mean validation F1 (5 folds)")
    if colour:
        axes[-1].legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    fig.suptitle(
        f"Best mean validation F1 {table['f1'].max():.3f}, over {len(_combinations(cv_results))} combinations"
    )
    return fig


def train_validation_gap(cv_results: dict, best: int) -> Figure:
    """Draw every combination's training F1 against its validation F1; right of the diagonal is overfit."""
    fig, ax = figure(width=5.5, height=4.5)
    train, val = cv_results["mean_train_f1"], cv_results["mean_test_f1"]
    low, high = min(train.min(), val.min()) - 0.02, max(train.max(), val.max()) + 0.02
    ax.plot([low, high], [low, high], color=MUTED, lw=1, ls="--", label="no gap")
    ax.scatter(train, val, color=RETAINED, alpha=0.7, label="a combination")
    ax.scatter(train[best], val[best], color=ACCENT, s=90, marker="*", zorder=3, label="chosen")
    ax.set(xlabel="mean training F1", ylabel="mean validation F1", xlim=(low, high))
    ax.set_title(
        f"The chosen combination loses {train[best] - val[best]:.3f} F1 on customers it has not seen"
    )
    ax.legend(frameon=False)
    return fig


def roc_and_precision_recall(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the ROC and the precision-recall curve on the hold-out, with the level of chance."""
    fig, (left, right) = panels(1, 2, width=9.5, height=4.2)
    curve = {"color": RETAINED, "lw": 2}
    RocCurveDisplay.from_estimator(
        model, X, y, ax=left, plot_chance_level=True, name="model", curve_kwargs=curve
    )
    PrecisionRecallDisplay.from_estimator(
        model, X, y, ax=right, plot_chance_level=True, name="model", curve_kwargs=curve
    )
    left.set(title="Ranking: ROC", xlabel="false positive rate", ylabel="true positive rate")
    right.set(title="Finding churners: precision and recall", xlabel="recall", ylabel="precision")
    for ax, place in ((left, "lower right"), (right, "upper right")):
        ax.legend(frameon=False, fontsize="small", loc=place)
    return fig


def confusion(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the hold-out's confusion matrix, counts with the share of each true class."""
    fig, ax = figure(width=4.8, height=4.2)
    shown = ConfusionMatrixDisplay.from_estimator(
        model, X, y, ax=ax, display_labels=["stayed", "left"], cmap="Blues", colorbar=False
    )
    counts = shown.confusion_matrix
    for text, count, share in zip(
        shown.text_.ravel(), counts.ravel(), (counts / counts.sum(axis=1, keepdims=True)).ravel(), strict=True
    ):
        text.set_text(f"{count}\n{share:.0%}")
    ax.grid(False)
    ax.set(title=f"{counts[1, 1]} of {counts[1].sum()} churners found", xlabel="predicted", ylabel="true")
    return fig


def calibration(model: BaseEstimator, X: pd.DataFrame, y: pd.Series) -> Figure:
    """Draw the share that left against the predicted probability, over ten equally filled groups."""
    fig, (top, below) = panels(2, 1, width=5.2, height=5.2, sharex=True, height_ratios=[3, 1])
    CalibrationDisplay.from_estimator(
        model, X, y, n_bins=10, strategy="quantile", ax=top, name="model", color=CHURNED
    )
    top.set(title="Is a probability of 0.3 really 30 %?", xlabel="", ylabel="share that left")
    top.legend(frameon=False)
    below.hist(model.predict_proba(X)[:, 1], bins=30, range=(0, 1), color=MUTED)
    below.set(xlabel="predicted probability of leaving", ylabel="customers")
    return fig


def cost_curve(y: ArrayLike, probability: ArrayLike, threshold: Threshold) -> Figure:
    """Draw the cost per customer against the threshold, with the chosen one and 0.5."""
    values, costs = costs_by_threshold(y, probability, threshold.missed_cost, threshold.wasted_cost)
    fig, ax = figure(width=6.5, height=3.8)
    ax.plot(values, costs, color=RETAINED, drawstyle="steps-post")
    ax.axhline(threshold.cost_nobody, color=MUTED, ls=":", label="contact nobody")
    ax.axhline(threshold.cost_everybody, color=MUTED, ls="--", label="contact everybody")
    ax.scatter(min(threshold.value, 1), threshold.cost, color=ACCENT, zorder=3, s=60, label="chosen")
    ax.scatter(0.5, threshold.cost_half, color=MUTED, zorder=3, marker="x", label="0.5")
    ax.set(xlabel="decision threshold", ylabel="cost per customer", xlim=(0, 1))
    saved = min(threshold.cost_nobody, threshold.cost_everybody) - threshold.cost
    ax.set_title(f"The model saves {saved:.3f} per customer at a threshold of {threshold.value:.2f}")
    ax.legend(frameon=False, ncols=2)
    return fig


def _combinations(cv_results: dict) -> pd.DataFrame:
    """Return one row per combination: its hyperparameters as text, ``f1`` and ``std``."""
    rows = [{key.split("__")[-1]: str(value) for key, value in p.items()} for p in cv_results["params"]]
    return pd.DataFrame(rows).assign(f1=cv_results["mean_test_f1"], std=cv_results["std_test_f1"])


def _lines(ax: Axes, table: pd.DataFrame, x: str, colour: str | None, style: str | None, order: dict) -> None:
    position = {value: i for i, value in enumerate(order[x])}
    for i, value in enumerate(order[colour] if colour else [None]):
        for line, kind in zip(["-", "--", ":", "-."], order[style] if style else [None], strict=False):
            part = table
            label = []
            for name, wanted in ((colour, value), (style, kind)):
                if name:
                    part = part[part[name] == wanted]
                    label.append(f"{name} = {wanted}")
            look = {"color": PALETTE[i % len(PALETTE)], "ls": line, "ms": 4, "capsize": 2, "elinewidth": 0.6}
            ax.errorbar(
                part[x].map(position), part["f1"], part["std"], fmt="o", label=", ".join(label), **look
            )
    ax.set_xticks(range(len(position)), position)
