"""Plots for choosing between challengers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from helpers.plotting import ACCENT, HOLDOUT, MUTED, PALETTE, TRAINING, figure


def challenger_scores(folds: pd.DataFrame, holdout: pd.Series) -> Figure:
    """Plot every challenger's five validation F1 scores, their mean, and the hold-out F1.

    Parameters
    ----------
    folds : DataFrame of shape (n_folds, n_challengers)
        Validation F1; one column per challenger, best first.
    holdout : Series of shape (n_challengers,)
        Hold-out F1 by challenger.
    """
    fig, ax = figure(width=6.5, height=0.7 * folds.shape[1] + 1.4)
    rows = np.arange(folds.shape[1])[::-1]
    ax.scatter(folds.to_numpy().ravel(), np.tile(rows, len(folds)), color=TRAINING, alpha=0.5, label="a fold")
    ax.scatter(folds.mean(), rows, color=TRAINING, marker="|", s=400, lw=2, label="mean of the folds")
    ax.scatter(holdout[folds.columns], rows, color=HOLDOUT, marker="D", label="hold-out")
    ax.set_yticks(rows, folds.columns)
    ax.set(xlabel="F1", ylim=(-0.6, folds.shape[1] - 0.4))
    ax.set_title(f"{folds.columns[0]} leads over five folds")
    ax.grid(axis="x", color="#E5E5E5", lw=0.8)
    fig.legend(frameon=False, ncols=3, loc="outside lower center")
    return fig


def leads(folds: pd.DataFrame, tests: pd.DataFrame) -> Figure:
    """Plot the leader's lead over each other challenger, fold by fold, with the paired test's result.

    Parameters
    ----------
    folds : DataFrame of shape (n_folds, n_challengers)
        Validation F1; the leader in the first column.
    tests : DataFrame of shape (n_challengers - 1, 2)
        As `lead_over_others` returns it; may be empty.
    """
    leader, others = folds.columns[0], tests.index
    fig, ax = figure(width=6.5, height=0.7 * len(others) + 1.2)
    rows = np.arange(len(others))[::-1]
    differences = folds[others].rsub(folds[leader], axis=0)
    ax.axvline(0, color=MUTED, lw=1)
    ax.scatter(differences.to_numpy().ravel(), np.tile(rows, len(folds)), color=ACCENT, alpha=0.6)
    ax.scatter(tests["mean lead"], rows, color=ACCENT, marker="|", s=400, lw=2)
    labels = [
        f"over {name}: {test['mean lead']:+.4f}\n({_p_value(test['p'])})" for name, test in tests.iterrows()
    ]
    ax.set_yticks(rows, labels)
    ax.set(xlabel="lead in validation F1", ylim=(-0.6, len(others) - 0.4))
    won, compared = int((differences > 0).to_numpy().sum()), differences.size
    ax.set_title(
        f"{leader} leads in {won} of {compared} comparisons on the same fold"
        if compared
        else f"{leader} is the only challenger: no lead to test"
    )
    return fig


def roc_curves(scores: dict[str, np.ndarray], y: pd.Series) -> Figure:
    """Plot the hold-out's ROC curve of every challenger.

    Parameters
    ----------
    scores : dict
        Probability of churn by challenger, each of shape (n_customers,).
    y : Series of shape (n_customers,)
    """
    fig, ax = figure(width=5.2, height=4.4)
    ax.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--")
    for (name, score), color in zip(scores.items(), PALETTE, strict=False):
        false_positive, true_positive, _ = roc_curve(y, score)
        ax.plot(false_positive, true_positive, color=color, label=name)
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title="Ranking the held-out customers")
    ax.legend(frameon=False, loc="lower right")
    return fig


def _p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
