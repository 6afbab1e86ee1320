"""The three scores of the project, on one table, and what a decision rule costs."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer

from helpers.config import SCORES

COST_NAMES = ("missed_cost", "wasted_cost")  # as metrics of the run that chose the threshold


def evaluate(model: BaseEstimator, X: pd.DataFrame, y: pd.Series, prefix: str = "test") -> dict[str, float]:
    """Score a fitted classifier.

    Parameters
    ----------
    model : estimator
        Fitted; knows ``predict`` and ``predict_proba`` or ``decision_function``.
    X : DataFrame of shape (n_customers, n_features)
    y : Series of shape (n_customers,)
        0 or 1.
    prefix : str
        Put before every name: ``test`` gives ``test_f1``, ``test_accuracy``, ``test_roc_auc``.

    Returns
    -------
    dict
        Score by name, each in [0, 1].
    """
    return {f"{prefix}_{name}": float(get_scorer(name)(model, X, y)) for name in SCORES}


def decision_costs(
    y: ArrayLike, probability: ArrayLike, threshold: float, missed_cost: float, wasted_cost: float
) -> np.ndarray:
    """Return what each customer cost once it is known who left.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1.
    probability : array of shape (n_customers,)
        Of leaving.
    threshold : float
        Customers from this probability on were contacted.
    missed_cost, wasted_cost : float
        Of a churner who was not contacted, and of contacting a customer who stayed.

    Returns
    -------
    ndarray of shape (n_customers,)
        Its mean is the cost per customer, in the unit of the two costs.
    """
    y, contacted = np.asarray(y), np.asarray(probability) >= threshold
    return np.where(contacted, (1 - y) * wasted_cost, y * missed_cost)
