"""The fast scores are scikit-learn's, and everything else goes to scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer, make_scorer, roc_auc_score

from helpers.config import SCORES
from helpers.search import fast_scorers
from helpers.search.fast_scorers import make_scorers, score


class FromColumns(ClassifierMixin, BaseEstimator):
    """Predicts from the table's two columns: the class, and its probability."""

    def __init__(self, classes=(0, 1)):
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.classes_[X[:, 0].astype(int)]

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 1], X[:, 1]])


class WithDecisionFunction(FromColumns):
    """Has a decision function that contradicts its probabilities: scikit-learn prefers it."""

    def decision_function(self, X):
        return -X[:, 1]


def tables():
    random = np.random.default_rng(0)
    for n_levels in (1, 2, 5, 10**9):  # of the probability: from all tied to hardly any
        for share in (0.01, 0.2, 0.9):
            y = (random.random(400) < share).astype(int)
            y[:2] = 0, 1
            probability = random.integers(0, n_levels, 400) / n_levels
            for predicted in (random.random(400) < 0.3, np.zeros(400), np.ones(400), y):
                yield np.column_stack([predicted, probability]), y


@pytest.mark.parametrize("scoring", [SCORES, {"auc": "roc_auc", "F": "f1"}, "f1"], ids=str)
@pytest.mark.parametrize("model", [FromColumns(), WithDecisionFunction()], ids=["proba", "decision"])
def test_fast_scores_equal_scikit_learns_to_the_last_bit(model, scoring):
    scorers = make_scorers(model, scoring)
    fast = replace(scorers, score=None)
    slow = replace(scorers, fast=None)
    for X, y in tables():
        assert list(score(fast, model, X, y).items()) == list(score(slow, model, X, y).items())


@pytest.mark.parametrize(
    ("model", "X", "y", "scoring"),
    [
        (FromColumns((1, 2)), [[1, 0.3], [0, 0.6]], [2, 1], ["accuracy", "roc_auc"]),
        (FromColumns(("a", "b")), [[1, 0.3], [0, 0.6]], ["b", "a"], ["accuracy", "roc_auc"]),
        (FromColumns(), [[1, 0.3], [0, 0.6]], [1, 1], ["f1", "accuracy"]),
        (FromColumns(), [[1, 0.3], [0, 0.6]], [1, 0], ["f1", "neg_log_loss"]),
        (FromColumns(), [[1, 0.3], [0, 0.6]], [1, 0], "neg_log_loss"),
        (FromColumns(), [[1, 0.3], [0, 0.6]], [1.0, 0.0], ["f1", "accuracy"]),
        (FromColumns(), [[1, 0.3], [0, 0.6]], [1, 0], None),
    ],
    ids=["one-two", "letters", "one class", "another score", "single score", "floats", "the model's own"],
)
def test_other_scores_targets_and_predictions_go_to_scikit_learn(model, X, y, scoring, monkeypatch):
    monkeypatch.setattr(fast_scorers, "roc_auc_score", None)
    X, y, scorers = np.array(X), np.array(y), make_scorers(model, scoring)
    expected = scorers.score(model, X, y)
    assert score(scorers, model, X, y) == (expected if isinstance(expected, dict) else {"score": expected})


def test_a_scorer_of_another_kind_under_a_known_name_is_not_replaced():
    X, y = np.array([[1, 0.1], [0, 0.2], [1, 0.3], [0, 0.4]]), np.array([1, 0, 0, 1])
    scoring = {
        "f1": make_scorer(roc_auc_score, response_method="predict_proba", max_fpr=0.5),
        "loss": make_scorer(roc_auc_score, greater_is_better=False, response_method="predict"),
    }
    scorers = make_scorers(FromColumns(), scoring)
    assert score(scorers, FromColumns(), X, y) == scorers.score(FromColumns(), X, y)


def test_only_functions_may_look_into_the_model():
    model = FromColumns()
    assert make_scorers(model, ["f1", "neg_log_loss"]).predictions_only
    assert make_scorers(model, None).predictions_only
    assert make_scorers(model, {"a": get_scorer("f1"), "b": make_scorer(roc_auc_score)}).predictions_only
    assert not make_scorers(model, {"a": "f1", "b": lambda model, X, y: 1.0}).predictions_only


def test_probabilities_that_are_not_numbers_raise_scikit_learns_error():
    with pytest.raises(ValueError, match="NaN"):
        scorers = make_scorers(FromColumns(), SCORES)
        score(scorers, FromColumns(), np.array([[1, np.nan], [0, 0.2]]), np.array([1, 0]))
