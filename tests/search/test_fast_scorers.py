"""The quick scores are scikit-learn's, and whatever they do not know goes to scikit-learn."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer, make_scorer, roc_auc_score
from sklearn.metrics._scorer import _MultimetricScorer

from helpers.config import SCORES
from helpers.search import fast_scorers
from helpers.search.fast_scorers import score


class Says(ClassifierMixin, BaseEstimator):
    """Answers with the table's columns: the class, and how sure it is."""

    def __init__(self, classes=(0, 1)):
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.classes_[X[:, 0].astype(int)]

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 1], X[:, 1]])


class Decides(Says):
    """Has a decision function that contradicts its probabilities: scikit-learn asks for this one."""

    def decision_function(self, X):
        return -X[:, 1]


def scorers(**named):
    return _MultimetricScorer(scorers=named or {name: get_scorer(name) for name in SCORES})


def tables():
    random = np.random.default_rng(0)
    for n_levels in (1, 2, 5, 10**9):  # of the probability: from all tied to hardly any
        for share in (0.01, 0.2, 0.9):
            y = (random.random(400) < share).astype(int)
            y[:2] = 0, 1
            sure = random.integers(0, n_levels, 400) / n_levels
            for predicted in (random.random(400) < 0.3, np.zeros(400), np.ones(400), y):
                yield np.column_stack([predicted, sure]), y


@pytest.mark.parametrize("model", [Says(), Decides()], ids=["proba", "decision"])
def test_figures_are_sklearns(model, monkeypatch):
    of_sklearn = scorers()
    asked = []
    monkeypatch.setattr(_MultimetricScorer, "__call__", lambda *args: asked.append(args))
    ours = [score(of_sklearn, model, X, y) for X, y in tables()]
    monkeypatch.undo()
    assert not asked
    for found, (X, y) in zip(ours, tables(), strict=True):
        assert list(found.items()) == list(of_sklearn(model, X, y).items())  # to the last bit


@pytest.mark.parametrize(
    ("model", "X", "y", "of"),
    [
        (Says((1, 2)), [[1, 0.3], [0, 0.6]], [2, 1], ["accuracy", "roc_auc"]),
        (Says(("a", "b")), [[1, 0.3], [0, 0.6]], ["b", "a"], ["accuracy", "roc_auc"]),
        (Says(), [[1, 0.3], [0, 0.6]], [1, 1], ["f1", "accuracy"]),
        (Says(), [[1, 0.3], [0, 0.6]], [1, 0], ["f1", "neg_log_loss"]),
        (Says(), [[1, 0.3], [0, 0.6]], [1.0, 0.0], ["f1", "accuracy"]),
    ],
    ids=["one-two", "letters", "one class", "other score", "floats"],
)
def test_what_is_unknown_goes_to_sklearn(model, X, y, of, monkeypatch):
    monkeypatch.setattr(fast_scorers, "roc_auc_score", None)
    X, y, own = np.array(X), np.array(y), scorers(**{name: get_scorer(name) for name in of})
    assert score(own, model, X, y) == own(model, X, y)


def test_a_scorer_that_only_bears_the_name_is_not_taken_for_it():
    X, y = np.array([[1, 0.1], [0, 0.2], [1, 0.3], [0, 0.4]]), np.array([1, 0, 0, 1])
    own = scorers(
        f1=make_scorer(roc_auc_score, response_method="predict_proba", max_fpr=0.5),
        lost=make_scorer(roc_auc_score, greater_is_better=False, response_method="predict"),
    )
    assert score(own, Says(), X, y) == own(Says(), X, y)


def test_probabilities_that_are_not_numbers_raise_as_ever():
    with pytest.raises(ValueError, match="NaN"):
        score(scorers(), Says(), np.array([[1, np.nan], [0, 0.2]]), np.array([1, 0]))
