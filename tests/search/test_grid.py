"""The search gives GridSearchCV's results for any grid, and names the combination that failed."""

import subprocess
import sys
import threading

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import ParameterGrid, ShuffleSplit, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.pipeline import make_pipeline as chain
from sklearn.preprocessing import MinMaxScaler, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from helpers.config import ROOT, SCORES
from helpers.search import SearchError, grid_search
from helpers.training import add_step_prefix, make_grid, make_pipeline
from helpers.training.algorithms import ALGORITHMS
from tests.support.searches import assert_same, search


class NearestMean(ClassifierMixin, BaseEstimator):
    """A user-defined estimator: the class of the nearer mean; no probabilities."""

    def __init__(self, power=2, fail=False):
        self.power = power
        self.fail = fail

    def fit(self, X, y):
        if self.fail:
            raise ArithmeticError("the mean is off")
        self.classes_ = np.unique(y)
        self.means_ = [np.asarray(X)[np.asarray(y) == c].mean(axis=0) for c in self.classes_]
        return self

    def decision_function(self, X):
        far = [(np.abs(np.asarray(X) - mean) ** self.power).sum(axis=1) for mean in self.means_]
        return far[0] - far[1]

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


@pytest.fixture(scope="module")
def rows(sample):
    return sample.X_train[:300], sample.y_train[:300]


SMALLER = {"forest": {"n_estimators": [2, 5, 8]}}  # instead of hundreds


@pytest.mark.parametrize("name", ALGORITHMS)
def test_default_grids_give_grid_search_cvs_results(rows, name):
    grid = make_grid(name) | SMALLER.get(name, {})
    cv = StratifiedKFold(2, shuffle=True, random_state=1)
    result = assert_same(make_pipeline(name), add_step_prefix(grid), *rows, cv=cv)
    assert len(result.cv_results_["params"]) == len(ParameterGrid(grid))


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (GradientBoostingClassifier(random_state=0, n_estimators=5), {"classify__max_depth": [1, 2]}),
        (SVC(), {"classify__C": [0.1, 1]}),
        (NearestMean(), {"classify__power": [1, 2]}),
        (LogisticRegression(), {"classify__C": [1.0], "prepare__scale__with_mean": [True, False]}),
        (DecisionTreeClassifier(random_state=0), {"prepare__scale": ["passthrough", MinMaxScaler()]}),
        (
            DecisionTreeClassifier(random_state=0),
            [
                {"classify__max_depth": [2, 3], "prepare__scale__with_std": [True, False]},
                {"classify": [KNeighborsClassifier(), SVC()], "prepare": [StandardScaler()]},
                {"classify": [KNeighborsClassifier()], "classify__n_neighbors": [2, 7]},
            ],
        ),
    ],
    ids=["boosting", "svc", "user-defined", "with_mean", "scale", "list"],
)
def test_other_estimators_and_grids_give_grid_search_cvs_results(rows, estimator, grid):
    X, y = rows
    pipeline = make_pipeline("tree").set_params(classify=estimator)
    if isinstance(grid, list):  # the whole preprocessing is replaced: it must cope with the columns
        X = X.select_dtypes("number")
        pipeline.set_params(prepare=Pipeline([("scale", StandardScaler())]))
        grid[0] = {
            key.replace("prepare__", "prepare__scale__", 1).replace("scale__scale", "scale"): values
            for key, values in grid[0].items()
        }
    assert_same(pipeline, grid, X, y)


def test_ties_go_to_the_first_combination(rows):
    result = assert_same(make_pipeline("tree"), {"classify__max_depth": [2, 2, 2]}, *rows)
    assert result.best_index_ == 0


def test_a_bare_estimator_on_other_columns_and_labels():
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(200, 3)), columns=["pressure", "flow", "heat"])
    y = np.where(X["flow"] + random.normal(size=200) > 0, "open", "shut")
    for estimator, grid in [
        (KNeighborsClassifier(), {"n_neighbors": [2, 5], "weights": ["uniform", "distance"]}),
        (chain(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1.0]}),
    ]:
        result = assert_same(estimator, grid, X, y, scoring=["accuracy", "roc_auc"], refit="roc_auc")
        assert result.oof_probability_.shape == (200,)
        assert_same(estimator, grid, X, y, scoring="balanced_accuracy", refit=True)
        assert_same(estimator, grid, X, (y == "open").astype(int), scoring="f1", refit="any")


def test_a_target_encoder_is_fitted_with_its_own_folds():
    """Its ``fit_transform`` differs from ``transform``: each is used where GridSearchCV uses it."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"town": random.choice(list("abcdefgh"), 300), "shop": random.choice(list("xyz"), 300)})
    y = random.integers(0, 2, 300)
    pipeline = chain(TargetEncoder(cv=3, random_state=0), DecisionTreeClassifier(random_state=0))
    assert_same(pipeline, {"decisiontreeclassifier__max_depth": [2, 5]}, X, y)


def _cost(y, predicted, *, missed):
    return -float(np.mean(np.where(np.asarray(y) == 1, missed, 1) * (np.asarray(y) != predicted)))


def _by_balance(model, X, y):
    return float(np.average(model.predict(X) == y, weights=X["Balance"] + 1))


def _number_of_steps(model, X, y):
    return float(len(model.steps)) + float(np.mean(model.predict(X.iloc[::2]) == np.asarray(y)[::2]))


def test_a_scorer_that_inspects_the_pipeline_gets_the_users_pipeline(rows):
    """A function may read the steps, or score other rows than it is given."""
    pipeline = make_pipeline("knn")
    pipeline.steps.insert(1, ("same", "passthrough"))
    assert_same(
        pipeline, add_step_prefix({"n_neighbors": [4, 9]}), *rows, scoring={"s": _number_of_steps}, refit="s"
    )


def test_user_defined_scorers_get_the_original_table(rows):
    scoring = {
        "cost": make_scorer(_cost, missed=5),
        "by_balance": _by_balance,
        "f1": "f1",
        "log": "neg_log_loss",
    }
    scoring |= {"f1": make_scorer(_cost, missed=2)}  # a name says nothing about what is computed
    for name, grid in [("tree", {"max_depth": [2, 5]}), ("knn", {"n_neighbors": [4, 9]})]:
        scoring["log"] = "neg_log_loss" if name == "tree" else "average_precision"
        assert_same(make_pipeline(name), add_step_prefix(grid), *rows, scoring=scoring, refit="cost")


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
@pytest.mark.parametrize(
    ("name", "grid"),
    [("knn", {"n_neighbors": [3, 9], "weights": ["uniform", "distance"]}), ("tree", {"max_depth": [2, 5]})],
)
def test_every_backend_gives_the_same_scores(rows, backend, name, grid):
    expected = search(make_pipeline(name), add_step_prefix(grid), *rows)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        other = search(make_pipeline(name), add_step_prefix(grid), *rows, n_jobs=None)
    for key, values in expected.cv_results_.items():
        if key.startswith("split"):
            np.testing.assert_array_equal(other.cv_results_[key], values)
    np.testing.assert_array_equal(other.oof_probability_, expected.oof_probability_)


@pytest.mark.parametrize(
    ("name", "grid"),
    [("tree", {"max_depth": [2, 5]}), ("forest", {"n_estimators": [5, 3], "max_depth": [3]})],
)
def test_results_arrive_once_each_in_the_calling_thread(rows, name, grid):
    received, threads = {}, set()

    def on_result(fold, index, params, scores):
        assert (fold, index) not in received
        received[fold, index] = params, scores
        threads.add(threading.get_ident())

    result = search(make_pipeline(name), add_step_prefix(grid), *rows, on_result=on_result)
    assert threads == {threading.get_ident()}
    assert len(received) == 3 * len(result.cv_results_["params"])
    for (fold, index), (params, scores) in received.items():
        assert params == result.cv_results_["params"][index]
        assert list(scores) == [f"{dataset}_{score}" for dataset in ("train", "val") for score in SCORES]
        for score in SCORES:
            assert scores[f"train_{score}"] == result.cv_results_[f"split{fold}_train_{score}"][index]
            assert scores[f"val_{score}"] == result.cv_results_[f"split{fold}_test_{score}"][index]


def test_out_of_fold_probabilities_are_the_best_combinations(rows):
    X, y = rows
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    for name, grid in [("knn", {"n_neighbors": [3, 9]}), ("logreg", {"C": [0.1, 1]})]:
        result = search(make_pipeline(name), add_step_prefix(grid), X, y, cv=cv)
        for train, val in cv.split(X, y):
            model = make_pipeline(name).set_params(**result.best_params_).fit(X.iloc[train], y.iloc[train])
            expected = model.predict_proba(X.iloc[val])[:, 1]
            np.testing.assert_allclose(result.oof_probability_[val], expected, rtol=0, atol=1e-12)


def test_rows_and_models_without_out_of_fold_probabilities(rows):
    X, y = rows
    svc = make_pipeline("tree").set_params(classify=SVC())
    assert search(svc, {"classify__C": [1]}, X, y).oof_probability_ is None
    some = ShuffleSplit(1, test_size=50, random_state=0)
    result = search(make_pipeline("tree"), {"classify__max_depth": [2]}, X, y, cv=some)
    assert np.isfinite(result.oof_probability_).sum() == 50


@pytest.mark.parametrize(
    ("estimator", "grid", "text", "cause"),
    [
        (NearestMean(), {"fail": [False, True]}, "{'classify__fail': True}", ArithmeticError),
        (KNeighborsClassifier(), {"n_neighbors": [3, 500]}, "{'classify__n_neighbors': 500}", ValueError),
        (KNeighborsClassifier(), {"n_neighbors": [3, 5], "weights": ["near"]}, "'near'", ValueError),
        (make_pipeline("forest")[-1], {"n_estimators": [3, 0]}, "{'classify__n_estimators': 0}", ValueError),
        (
            make_pipeline("forest")[-1],
            {"n_estimators": [3, 5], "max_depth": [0]},
            "max_depth': 0",
            ValueError,
        ),
    ],
    ids=["user-defined", "k", "weights", "trees", "depth"],
)
def test_a_failing_combination_is_named(rows, estimator, grid, text, cause):
    pipeline = make_pipeline("tree").set_params(classify=estimator)
    with pytest.raises(SearchError) as failure:
        search(pipeline, add_step_prefix(grid), *rows)
    assert text in str(failure.value) and "fold" in str(failure.value)
    assert isinstance(failure.value.__cause__, cause)


def test_a_failure_in_another_process_is_named(rows):
    with (
        joblib.parallel_config(backend="loky"),
        pytest.raises(SearchError, match="n_neighbors': 500") as failure,
    ):
        search(make_pipeline("knn"), add_step_prefix({"n_neighbors": [3, 500]}), *rows)
    assert isinstance(failure.value.__cause__, ValueError)


@pytest.mark.parametrize("refit", [False, None, True, "recall", lambda results: 0])
def test_a_refit_that_names_no_score_is_rejected_before_anything_runs(sample, refit):
    with pytest.raises(ValueError, match="refit must be a score's name"):
        grid_search(make_pipeline("tree"), {}, *sample[::2], cv=3, scoring=SCORES, refit=refit)


def test_failing_preprocessing_is_named(rows):
    grid = {"prepare__scale__with_mean": [True, "perhaps"], "classify__max_depth": [2, 3]}
    with pytest.raises(SearchError, match=r"fold 1 of 3 .*'perhaps'") as failure:
        search(make_pipeline("tree"), grid, *rows)
    assert isinstance(failure.value.__cause__, ValueError)


def test_an_unknown_parameter_is_named(rows):
    with pytest.raises(SearchError, match="classify__depth"):
        search(make_pipeline("tree"), {"classify__depth": [2]}, *rows)


def test_importing_the_search_imports_neither_mlflow_nor_the_rest_of_the_project():
    program = "import sys, helpers.search; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    modules = process.stdout.split()
    assert "mlflow" not in modules and "matplotlib" not in modules
    assert {name for name in modules if name.startswith("helpers.") and "search" not in name} == set()
