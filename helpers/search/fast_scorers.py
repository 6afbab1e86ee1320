"""F1 and accuracy of 0/1 classes by their definitions, without scikit-learn's repeated checks.

scikit-learn validates both vectors anew in every metric, which takes longer than fitting a small tree. The
figures are the same to the last bit, or ranks of equal means would differ. ROC AUC, a sum of many terms, and
any other scorer, target or answer therefore go to scikit-learn's own code.
"""

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import get_scorer, roc_auc_score

QUICK = {name: vars(get_scorer(name)) for name in ("f1", "accuracy", "roc_auc")}


def score(scorers: Callable, model: BaseEstimator, X: object, y: object) -> dict[str, float] | float:
    """Score a fitted model as GridSearchCV's scorers do.

    Parameters
    ----------
    scorers : callable
        What GridSearchCV resolves ``scoring`` to.
    model : estimator
        Fitted.
    X : table of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)

    Returns
    -------
    dict or float
        What ``scorers(model, X, y)`` returns.
    """
    named = getattr(scorers, "_scorers", {})
    kinds = {name: _kind(scorer) for name, scorer in named.items()}
    truth = np.asarray(y)
    if not named or None in kinds.values() or not _binary(truth) or truth.min() == truth.max():
        return scorers(model, X, y)
    if not is_classifier(model) or not np.array_equal(getattr(model, "classes_", None), [0, 1]):
        return scorers(model, X, y)
    found = {}
    if {"f1", "accuracy"} & set(kinds.values()):
        predicted = np.asarray(model.predict(X))
        if not _binary(predicted, truth.shape):
            return scorers(model, X, y)
        hits = np.count_nonzero(predicted & truth)
        found["f1"] = 2 * hits / (np.count_nonzero(predicted) + np.count_nonzero(truth))
        found["accuracy"] = np.count_nonzero(predicted == truth) / len(truth)
    if "roc_auc" in kinds.values():
        decides = hasattr(model, "decision_function")  # what scikit-learn asks for first
        scores = np.asarray(model.decision_function(X) if decides else model.predict_proba(X)[:, 1])
        if scores.shape != truth.shape or not np.isfinite(scores).all():
            return scorers(model, X, y)
        found["roc_auc"] = roc_auc_score(truth, scores)
    return {name: float(found[kind]) for name, kind in kinds.items()}


def _kind(scorer: Callable) -> str | None:
    """Return the name of scikit-learn's own scorer that this one is, if any."""
    return next((name for name, own in QUICK.items() if getattr(scorer, "__dict__", None) == own), None)


def _binary(values: np.ndarray, shape: tuple | None = None) -> bool:
    """Say whether these are whole numbers, all 0 or 1, in the given shape."""
    return (
        values.dtype.kind == "i"
        and values.ndim == 1
        and len(values) > 0
        and (shape is None or values.shape == shape)
        and values.min() >= 0
        and values.max() <= 1
    )
