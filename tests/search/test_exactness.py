"""What threads and shared tables could spoil: every score is GridSearchCV's all the same."""

import threading
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from helpers.search import SearchError, candidates, grid_search, nearest_neighbors, tasks
from helpers.search.threads import is_thread_safe
from tests.support.searches import assert_same, search

ACCURACY = {"scoring": ["accuracy"], "refit": "accuracy"}


@pytest.fixture(scope="module")
def table():
    X, y = make_classification(240, 8, n_informative=3, flip_y=0.2, random_state=0)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.fixture(scope="module")
def whole(table):
    return np.nan_to_num(table[0]), table[1]


LIBLINEAR = LogisticRegression(solver="liblinear", l1_ratio=1.0, random_state=3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (LinearSVC(dual=True, max_iter=30, random_state=0), {"C": np.logspace(-2, 2, 12)}),
        (LIBLINEAR, {"C": np.logspace(-2, 2, 12)}),
        (OneVsRestClassifier(LinearSVC(dual=True, max_iter=30, random_state=0)), {"estimator__C": [1, 5, 9]}),
        (
            make_pipeline(
                SelectFromModel(LinearSVC(dual=True, max_iter=30, random_state=0)), DecisionTreeClassifier()
            ),
            {
                "selectfrommodel__threshold": ["mean", 0.01, "median"],
                "decisiontreeclassifier__max_depth": [1],
            },
        ),
    ],
    ids=["LinearSVC", "liblinear", "inside", "preprocessing"],
)
def test_estimators_with_random_numbers_of_the_process(whole, estimator, grid):
    assert_same(estimator, grid, *whole, **ACCURACY, n_jobs=4)


@pytest.mark.parametrize(
    ("estimator", "is_safe"),
    [
        (LogisticRegression(), True),
        (LIBLINEAR, False),
        (SVC(), True),
        (SVC(probability=True), False),
        (CalibratedClassifierCV(), False),
        (CalibratedClassifierCV(RandomForestClassifier()), True),
        (make_pipeline(StandardScaler(), LinearSVC()), False),
        (GridSearchCV(LogisticRegression(), {"solver": ["liblinear"]}), False),
    ],
)
def test_what_is_known_to_be_safe_in_threads(estimator, is_safe):
    assert is_thread_safe(estimator) == is_safe


class OneAtATime(ClassifierMixin, BaseEstimator):
    """Of unknown safety; its ``fit`` returns nothing, and its probabilities fail."""

    running = 0
    lock = threading.Lock()

    def __init__(self, label=0):
        self.label = label

    def fit(self, X, y):
        with self.lock:
            OneAtATime.running += 1
            assert OneAtATime.running == 1
        self.classes_ = np.unique(y)
        threading.Event().wait(0.01)
        with self.lock:
            OneAtATime.running -= 1

    def predict(self, X):
        return np.full(len(X), self.label)

    def predict_proba(self, X):
        raise NotImplementedError("no probabilities")


def test_an_unknown_estimator_runs_alone_may_return_nothing_and_needs_no_probabilities(whole):
    result = assert_same(OneAtATime(), {"label": [0, 1, 0, 1]}, *whole, **ACCURACY)
    assert result.oof_probability_ is None


class InPlace(TransformerMixin, BaseEstimator):
    """Adds to the table it is given and has no state, as a user's transformer may."""

    def __init__(self, add=1):
        self.add = add

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X += self.add * np.abs(X)
        return X


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (
            make_pipeline(SimpleImputer(copy=False), LogisticRegression()),
            {"simpleimputer__strategy": ["mean", "median"], "logisticregression__C": [0.01, 1]},
        ),
        (
            make_pipeline(SimpleImputer(), StandardScaler(copy=False), KNeighborsClassifier()),
            {"simpleimputer__strategy": ["mean", "median"], "kneighborsclassifier__n_neighbors": [3, 5]},
        ),
        (
            make_pipeline(InPlace(), SimpleImputer(), DecisionTreeClassifier(random_state=0)),
            {"inplace__add": [1, 3], "decisiontreeclassifier__max_depth": [2, 3]},
        ),
        (
            make_pipeline(SimpleImputer(), InPlace(), KNeighborsClassifier()),
            {"inplace__add": [1, 3], "kneighborsclassifier__n_neighbors": [3, 5]},
        ),
    ],
    ids=["imputer", "scaler", "user-defined", "later step"],
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_transformers_that_work_in_place(table, estimator, grid, as_frame):
    X = pd.DataFrame(table[0]) if as_frame else table[0]
    kept = X.copy()
    search(estimator, grid, X, table[1])
    np.testing.assert_array_equal(X, kept)
    assert_same(estimator, grid, X, table[1])


def test_a_last_step_that_works_in_place(whole):
    X, y = whole
    scores = {"scoring": "r2", "refit": True}
    assert_same(Ridge(copy_X=False), {"alpha": [0.1, 1.0, 9.0]}, X.copy(), y, **scores)
    pipeline = make_pipeline("passthrough", LinearRegression(copy_X=False))
    assert_same(pipeline, {"linearregression__fit_intercept": [True, False]}, X.copy(), y, **scores)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_scikit_learns_configuration_travels_with_the_tasks(table, backend, monkeypatch):
    X, y = pd.DataFrame(table[0]).add_prefix("x").round(1), table[1]
    pipeline = make_pipeline(SimpleImputer(), KNeighborsClassifier())
    grid = {
        "kneighborsclassifier__n_neighbors": [2, 4],
        "kneighborsclassifier__p": [1, 2],
        "simpleimputer__strategy": ["mean", "median"],
    }
    with sklearn.config_context(transform_output="pandas"), joblib.parallel_config(backend=backend):
        assert_same(pipeline, grid, X, y)


def test_neighbors_in_a_data_frame_are_shared():
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.integers(0, 3, size=(200, 3))).add_prefix("x")  # with ties
    X.index = random.permutation(200) / 2  # a slice of numbers would select by label
    y = random.integers(0, 2, 200)
    knns = [KNeighborsClassifier(k) for k in (1, 3, 6)]
    for knn, shared in zip(knns, nearest_neighbors.fit(knns, X, y, [X]), strict=True):
        np.testing.assert_array_equal(shared.predict(X), knn.fit(X, y).predict(X))


def test_a_search_leaves_the_warning_filters_as_they_were(whole):
    before = list(warnings.filters)
    for _ in range(10):
        search(RandomForestClassifier(40, random_state=0), {"max_depth": [1, 2]}, *whole, n_jobs=4)
        assert warnings.filters == before


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), KNeighborsClassifier(), RandomForestClassifier(3, random_state=0)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_sparse_tables_and_several_targets(whole, estimator):
    X, y = whole
    grid = {"C": [1.0, 2.0]} if hasattr(estimator, "C") else {"n_jobs": [None]}
    assert_same(estimator, grid, csr_matrix(X), y)
    if hasattr(estimator, "C"):
        estimator, grid = OneVsRestClassifier(estimator), {"estimator__C": [1.0, 2.0]}
    assert_same(estimator, grid, X, np.column_stack([y, X[:, 0] > 0]).astype(int), **ACCURACY, cv=3)


def several_scores(model, X, y):
    hits = model.predict(X) == y
    return {"hits": float(hits.mean()), "misses": -float((~hits).sum())}


def one_score(model, X, y):
    return float((model.predict(X) == y).mean())


def test_a_callable_scorer_may_return_one_score_or_several_by_name(whole):
    for scoring, refit in [(several_scores, "misses"), (one_score, True)]:
        assert_same(
            DecisionTreeClassifier(random_state=0),
            {"max_depth": [1, 2]},
            *whole,
            scoring=scoring,
            refit=refit,
        )


@pytest.mark.parametrize(("scoring", "refit"), [(several_scores, "hit"), (several_scores, True)])
def test_a_refit_that_a_callable_scorer_does_not_return_ends_the_search(whole, scoring, refit):
    with pytest.raises(ValueError, match=r"refit must be a score's name \(hits, misses\)"):
        search(DecisionTreeClassifier(), {"max_depth": [1, 2]}, *whole, scoring=scoring, refit=refit)


def text_scores(model, X, y):
    return {"hits": one_score(model, X, y), "grade": "good"}


@pytest.mark.parametrize(
    ("scorer", "name"),
    [
        (text_scores, "'grade' returned 'good' (str)"),
        (lambda model, X, y: model.predict(X), "'score' returned"),
    ],
)
def test_a_score_that_is_not_a_number_ends_the_search_at_once_by_name(whole, scorer, name):
    fits = []

    class Fitted(DecisionTreeClassifier):
        def fit(self, X, y):
            fits.append(len(X))
            return super().fit(X, y)

    with pytest.raises(SearchError, match="not a number") as failure:
        search(Fitted(), {"max_depth": range(1, 40)}, *whole, scoring=scorer, refit="hits")
    assert name in str(failure.value) and isinstance(failure.value.__cause__, ValueError)
    assert len(fits) < 20


def test_precomputed_in_the_grid(whole):
    X = np.abs(whole[0] @ whole[0].T)
    assert_same(KNeighborsClassifier(), {"metric": ["precomputed", "euclidean"]}, X, whole[1])
    assert_same(SVC(), {"kernel": ["rbf", "precomputed"], "C": [0.1, 1]}, X, whole[1])


class FailsOnce(StandardScaler):
    """Fails the first time, while it is fitted for several batches at once."""

    failures = 0

    def fit(self, X, y=None, sample_weight=None):
        if not FailsOnce.failures:
            FailsOnce.failures += 1
            raise OSError("out of file handles")
        return super().fit(X, y, sample_weight)


def test_no_batch_is_dropped_if_preparing_a_fold_fails(whole):
    FailsOnce.failures = 0
    pipeline = make_pipeline(FailsOnce(), DecisionTreeClassifier(random_state=0))
    result = search(pipeline, {"decisiontreeclassifier__max_depth": [1, 2, 3, 4]}, *whole)
    assert FailsOnce.failures == 1
    for values in (result.cv_results_[key] for key in result.cv_results_ if key.startswith("split")):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_between_tasks_ends_the_search_with_that_error(whole, monkeypatch, n_jobs):
    calls = []

    def failing(*args):
        calls.append(args)
        if len(calls) == 3:
            raise MemoryError("no room for the last fold")
        return candidates.make_batches(*args)

    monkeypatch.setattr(tasks, "make_batches", failing)
    with pytest.raises(MemoryError, match="no room"):
        grid_search(
            DecisionTreeClassifier(),
            {"max_depth": [1, 2, 3]},
            *whole,
            cv=3,
            scoring="f1",
            refit=True,
            n_jobs=n_jobs,
        )
