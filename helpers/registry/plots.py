"""Pictures for the choice between candidates."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from helpers.plotting import ACCENT, HOLDOUT, MUTED, PALETTE, TRAINING, figure


def candidate_scores(folds: pd.DataFrame, holdout: pd.Series) -> Figure:
    """Draw every candidate's five validation F1 scores, their mean, and the hold-out F1.

    Parameters
    ----------
    folds : DataFrame of shape (n_folds, n_candidates)
        Validation F1; one column per candidate, best first.
    holdout : Series of shape (n_candidates,)
        Hold-out F1 by candidate.
    """
    fig, ax = figure(width=6.5, height=0.7 * folds.shape[1] + 1.4)
    for row, name in enumerate(folds.columns[::-1]):
        ax.scatter(folds[name], np.full(len(folds), row), color=TRAINING, alpha=0.5, label="a fold")
        ax.scatter(
            folds[name].mean(), row, color=TRAINING, marker="|", s=400, lw=2, label="mean of the folds"
        )
        ax.scatter(holdout[name], row, color=HOLDOUT, marker="D", label="hold-out")
    ax.set_yticks(range(folds.shape[1]), folds.columns[::-1])
    ax.set(xlabel="F1", ylim=(-0.6, folds.shape[1] - 0.4))
    ax.set_title(f"{folds.columns[0]} leads over five folds")
    ax.grid(axis="x", color="#E5E5E5", lw=0.8)
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles[:3], labels[:3], frameon=False, ncols=3, loc="outside lower center")
    return fig


def paired_differences(differences: pd.DataFrame, p_values: pd.Series) -> Figure:
    """Draw the leader's lead over each other candidate, fold by fold, with the paired test's p-value.

    Parameters
    ----------
    differences : DataFrame of shape (n_folds, n_others)
        The leader's validation F1 minus the other's.
    p_values : Series of shape (n_others,)
    """
    fig, ax = figure(width=6.5, height=0.7 * differences.shape[1] + 1.2)
    ax.axvline(0, color=MUTED, lw=1)
    for row, name in enumerate(differences.columns[::-1]):
        ax.scatter(differences[name], np.full(len(differences), row), color=ACCENT, alpha=0.6)
        ax.scatter(differences[name].mean(), row, color=ACCENT, marker="|", s=400, lw=2)
    names = differences.columns[::-1]
    ax.set_yticks(range(len(names)), [f"over {name}\n(p = {p_values[name]:.3f})" for name in names])
    ax.set(xlabel="lead in validation F1", ylim=(-0.6, len(names) - 0.4))
    ax.set_title("The lead, fold by fold: right of zero it holds")
    return fig


def roc_curves(scores: dict[str, np.ndarray], y: pd.Series) -> Figure:
    """Draw the hold-out's ROC curve of every candidate.

    Parameters
    ----------
    scores : dict
        Probability of leaving by candidate, each of shape (n_customers,).
    y : Series of shape (n_customers,)
    """
    fig, ax = figure(width=5.2, height=4.4)
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--")
    for (name, score), colour in zip(scores.items(), PALETTE, strict=False):
        false_positive, true_positive, _ = roc_curve(y, score)
        ax.plot(false_positive, true_positive, color=colour, label=name)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title="Ranking the held-out customers")
    ax.legend(frameon=False, loc="lower right")
    return fig
