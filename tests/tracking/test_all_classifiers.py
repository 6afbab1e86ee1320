"""Every classifier of scikit-learn as an algorithm: it works throughout, or is refused before a search."""

import inspect
import re

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import all_estimators

from helpers.config import ROOT
from helpers.data import load, split
from helpers.errors import SettingError
from helpers.tracking import allowed_types, check_estimator
from helpers.tracking.script_export import pipeline_source
from helpers.training import CLASSIFY, Algorithm, make_grid, make_pipeline
from helpers.training.algorithms import ALGORITHMS
from helpers.training.entries import check_entry

CLASSIFIERS = dict(all_estimators(type_filter="classifier"))
NO_PROBABILITIES = r"has no predict_proba, .*: wrap it, as in CalibratedClassifierCV\(\.\.\.\)"
# With the default parameters; docs/estimators.md has the list, too.
REFUSED = {
    **dict.fromkeys(("CategoricalNB", "ComplementNB", "MultinomialNB"), "cannot be fitted: Negative values"),
    **dict.fromkeys(("ClassifierChain", "MultiOutputClassifier"), "predicts several targets"),
    **dict.fromkeys(
        (
            "LinearSVC",
            "NuSVC",
            "OneVsOneClassifier",
            "OutputCodeClassifier",
            "PassiveAggressiveClassifier",
            "Perceptron",
            "RidgeClassifier",
            "RidgeClassifierCV",
            "SGDClassifier",
            "SVC",
            "VotingClassifier",
        ),
        NO_PROBABILITIES,
    ),
    "QuadraticDiscriminantAnalysis": "cannot be fitted: .* Increase the value of `reg_param`",
    "RadiusNeighborsClassifier": "cannot be fitted: No neighbors found",
    "SelfTrainingClassifier": r"needs an estimator inside, as in SelfTrainingClassifier\(",
}
# What their messages ask for.
REPAIRED = {
    "OneVsRestClassifier": {"estimator": LogisticRegression()},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "RadiusNeighborsClassifier": {"radius": 3.0, "outlier_label": "most_frequent"},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    "SGDClassifier": {"loss": "log_loss"},
    "VotingClassifier": {"voting": "soft"},
}


@pytest.fixture(scope="module")
def few():
    return split(load().head(400))


def make(name: str, **params: object) -> BaseEstimator:
    """Return a classifier with its default parameters; a required one is an estimator, or a list of them."""
    signature = inspect.signature(CLASSIFIERS[name]).parameters
    required = [key for key, value in signature.items() if value.default is value.empty]
    inside = {"estimator": LogisticRegression(), "estimators": [("one", LogisticRegression())]}
    return CLASSIFIERS[name](**{key: inside[key] for key in required} | params)


def checked(estimator: BaseEstimator, few, monkeypatch) -> Pipeline:
    """Return the pipeline of an algorithm that went through all checks before a search."""
    key, value = next(iter(estimator.get_params(deep=False).items()))
    entry = Algorithm("a classifier", estimator, {key: [value]})
    check_entry("own", entry)
    monkeypatch.setitem(ALGORITHMS, "own", entry)
    pipeline, grid = make_pipeline("own"), make_grid("own")
    check_estimator(pipeline, grid, few.X_train, few.y_train)
    return pipeline


WORKING = [(name, {}) for name in CLASSIFIERS if name not in REFUSED] + list(REPAIRED.items())


@pytest.mark.filterwarnings("ignore")  # not converged: they are tried with their defaults
@pytest.mark.parametrize(("name", "params"), WORKING, ids=str)
def test_a_classifier_works_throughout(name, params, few, monkeypatch):
    pipeline = checked(make(name, **params), few, monkeypatch).fit(few.X_train, few.y_train)
    again = skops.io.loads(skops.io.dumps(pipeline), trusted=sorted(allowed_types()))
    np.testing.assert_array_equal(again.predict_proba(few.X_test), pipeline.predict_proba(few.X_test))
    scope = {"__name__": "script"}
    exec(compile(pipeline_source(pipeline, name, []), "pipeline.py", "exec"), scope)
    assert repr(scope["pipeline"].named_steps[CLASSIFY]) == repr(pipeline.named_steps[CLASSIFY])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_a_classifier_is_refused_before_a_search_with_the_reason(name, few, monkeypatch):
    with pytest.raises(SettingError, match=f"{name} {REFUSED[name]}") as caught:
        checked(make(name), few, monkeypatch)
    assert "\n" not in str(caught.value)


def test_the_documentation_lists_what_is_refused():
    page = (ROOT / "docs" / "estimators.md").read_text()
    table = page.partition("## Which of scikit-learn's classifiers")[2].partition("\n## ")[0]
    assert f"{len(CLASSIFIERS) - len(REFUSED)} of {len(CLASSIFIERS)} work" in table
    first_cells = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    assert set(re.findall(r"`(\w+)`", first_cells)) == REFUSED.keys()
