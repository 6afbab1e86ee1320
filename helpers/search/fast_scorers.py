"""GridSearchCV's scorers; F1 and accuracy of 0/1 classes by definition, without repeated validation.

scikit-learn validates both vectors again in every metric, which takes longer than fitting a small tree. The
fast scores are the same to the last bit, or ranks of equal means would differ. ROC AUC, a sum of many terms,
and any other scorer, target or prediction therefore go to scikit-learn's own code.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.metrics import accuracy_score, check_scoring, make_scorer, roc_auc_score

FAST = {"f1", "accuracy", "roc_auc"}
PredictionScorer: type = type(make_scorer(accuracy_score))


@dataclass(frozen=True)
class Scorers:
    """What GridSearchCV resolves ``scoring`` to, and what the search knows about it.

    Attributes
    ----------
    score : callable
        GridSearchCV's: takes model, table and target, returns one score or several by name.
    names : tuple of str
        "score" where there is one score; none where only the scores of a callable will tell.
    fast : dict or None
        Scikit-learn's name for each score, e.g. "roc_auc", if all of them can be computed here.
    predictions_only : bool
        Whether the scores depend on nothing but predictions; a user's function may look into the model.
    """

    score: Callable
    names: tuple[str, ...]
    fast: dict[str, str] | None
    predictions_only: bool


def make_scorers(estimator: BaseEstimator, scoring: str | Sequence[str] | Mapping | None) -> Scorers:
    """Resolve ``scoring`` as GridSearchCV does.

    Raises
    ------
    ValueError
        If a name is unknown; scikit-learn's own message.
    """
    scorer = check_scoring(estimator, scoring)
    if isinstance(scoring, Mapping):
        named = dict(scoring)
    elif scoring is None or isinstance(scoring, (str, PredictionScorer)):
        named = {"score": scoring}
    elif callable(scoring):  # it may return several scores, by names of its own
        return Scorers(scorer, names=(), fast=None, predictions_only=False)
    else:
        named = {name: name for name in scoring}
    all_fast = all(isinstance(metric, str) and metric in FAST for metric in named.values())
    return Scorers(
        score=scorer,
        names=tuple(named),
        fast=named if all_fast else None,
        predictions_only=all(
            metric is None or isinstance(metric, (str, PredictionScorer)) for metric in named.values()
        ),
    )


def score(scorers: Scorers, model: BaseEstimator, X: Any, y: Any) -> dict[str, float]:
    """Score a fitted model as GridSearchCV does.

    Parameters
    ----------
    scorers : Scorers
    model : estimator
        Fitted.
    X : table of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)

    Returns
    -------
    dict
        Scores by name.

    Raises
    ------
    ValueError
        If a scorer returns something that is not a number.
    """
    scores = None if scorers.fast is None else _fast_scores(scorers.fast, model, X, np.asarray(y))
    if scores is None:
        scores = scorers.score(model, X) if y is None else scorers.score(model, X, y)
    named = scores if isinstance(scores, dict) else {"score": scores}
    return {name: _number(name, value) for name, value in named.items()}


def _number(name: str, value: Any) -> float:
    if hasattr(value, "item"):
        with suppress(ValueError):  # not a single number
            value = value.item()
    if not isinstance(value, Real):
        raise ValueError(f"the scorer {name!r} returned {value!r} ({type(value).__name__}), not a number")
    return float(value)


def _fast_scores(
    metrics: dict[str, str], model: BaseEstimator, X: Any, y: np.ndarray
) -> dict[str, float] | None:
    """Return the scores by name, or None where scikit-learn's own code must compute them."""
    if not _is_binary(y) or y.min() == y.max():
        return None
    if not is_classifier(model) or not np.array_equal(getattr(model, "classes_", ()), [0, 1]):
        return None
    values: dict[str, float] = {}
    if {"f1", "accuracy"}.intersection(metrics.values()):
        predicted = np.asarray(model.predict(X))
        if not _is_binary(predicted, y.shape):
            return None
        hits = np.count_nonzero(predicted & y)
        values["f1"] = 2 * hits / (np.count_nonzero(predicted) + np.count_nonzero(y))
        values["accuracy"] = np.count_nonzero(predicted == y) / len(y)
    if "roc_auc" in metrics.values():
        has_decision = hasattr(model, "decision_function")  # scikit-learn prefers it, too
        scores = np.asarray(model.decision_function(X) if has_decision else model.predict_proba(X)[:, 1])
        if scores.shape != y.shape or not np.isfinite(scores).all():
            return None
        values["roc_auc"] = float(roc_auc_score(y, scores))
    return {name: values[metric] for name, metric in metrics.items()}


def _is_binary(values: np.ndarray, shape: tuple | None = None) -> bool:
    """Return whether these are integers, all 0 or 1, in the given shape."""
    return bool(
        values.dtype.kind == "i"
        and values.ndim == 1
        and len(values) > 0
        and (shape is None or values.shape == shape)
        and values.min() >= 0
        and values.max() <= 1
    )
