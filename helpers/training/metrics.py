"""Evaluation metrics: the three scores of the project."""

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer

from helpers.config import SCORES


def evaluate(model: BaseEstimator, X: pd.DataFrame, y: pd.Series, prefix: str = "test") -> dict[str, float]:
    """Score a fitted classifier.

    Parameters
    ----------
    model : estimator
        Fitted; has ``predict``, and ``predict_proba`` or ``decision_function``.
    X : DataFrame of shape (n_customers, n_features)
    y : Series of shape (n_customers,)
        0 or 1.
    prefix : str
        Of every name: ``test`` gives ``test_f1``, ``test_accuracy``, ``test_roc_auc``.

    Returns
    -------
    dict
        Scores by name, each in [0, 1].
    """
    return {f"{prefix}_{name}": float(get_scorer(name)(model, X, y)) for name in SCORES}
