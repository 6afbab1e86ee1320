"""What would fail after a search is refused before it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline as chain
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from helpers.errors import SettingError
from helpers.tracking import check_estimator
from helpers.training import CLASSIFY, make_grid, make_pipeline
from helpers.training.algorithms import ALGORITHMS


def check(estimator, sample, grid=None):
    pipeline = make_pipeline("logreg").set_params(**{CLASSIFY: estimator})
    check_estimator(pipeline, grid or {}, sample.X_train, sample.y_train)


class Own(ClassifierMixin, BaseEstimator):
    """A user's own classifier: gives everybody what it is told to."""

    def __init__(self, row=(0.5, 0.5)):
        self.row = row

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.row, (len(X), 1))


class Nameless(Own):
    """Without classes."""

    def fit(self, X, y):
        return self


class Forgetful(Own):
    """Gives other probabilities when it was stored."""

    def __getstate__(self):
        return super().__getstate__() | {"row": (0.1, 0.9)}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_built_in_algorithms_pass(name, sample):
    check_estimator(make_pipeline(name), make_grid(name), sample.X_train, sample.y_train)


REFUSED = {
    "no probabilities": (LinearSVC(), r"LinearSVC has no predict_proba.*CalibratedClassifierCV\(\.\.\.\)"),
    "unreviewed type": (
        Own(),
        r"types that are not reviewed.*test_trial_fit\.Own.*trusted_types of the Algorithm",
    ),
    "one column": (Own(row=(1.0,)), r"two columns, P\(0\) and P\(1\).*shape \(1000, 1\)"),
    "sum": (Own(row=(0.5, 0.9)), r"sum to one, not shape \(1000, 2\) with the sums \[1\.4"),
    "no classes": (Nameless(), "Nameless needs the attribute classes_"),
    "no fit": (LogisticRegression(C=-1.0), "LogisticRegression cannot be fitted: .*'C'"),
    "lambda": (chain(FunctionTransformer(lambda X: X), LogisticRegression()), "cannot hold .*'func'"),
    "generator": (LogisticRegression(random_state=np.random.RandomState(0)), "'random_state'.*an integer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_estimator_that_would_fail_later_is_refused_by_name(name, sample):
    estimator, message = REFUSED[name]
    with pytest.raises(SettingError, match=message) as caught:
        check(estimator, sample)
    assert "\n" not in str(caught.value)


def test_a_model_that_changes_when_stored_is_refused(sample, monkeypatch):
    monkeypatch.setattr("helpers.tracking.trial_fit.trusted_types", lambda _: [f"{__name__}.Forgetful"])
    with pytest.raises(SettingError, match="other probabilities when it is loaded again"):
        check(Forgetful(), sample)


def test_values_that_are_no_numbers_are_tried_too(sample):
    with pytest.raises(SettingError, match="combination loss=hinge: SGDClassifier has no predict_proba"):
        check(SGDClassifier(), sample, {"loss": ["log_loss", "modified_huber", "hinge"]})
    grid = {"estimator": [LogisticRegression(), Own()], "cv": [3]}
    with pytest.raises(SettingError, match=r"combination .*estimator=Own\(\).*not reviewed"):
        check(CalibratedClassifierCV(), sample, grid)


def test_what_few_customers_cannot_fit_is_tried_on_all(sample):
    check(KNeighborsClassifier(), sample, {"n_neighbors": [250]})
    with pytest.raises(SettingError, match=r"KNeighborsClassifier cannot be fitted: .*n_neighbors"):
        check(KNeighborsClassifier(), sample, {"n_neighbors": [2500]})
