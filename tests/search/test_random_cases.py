"""Estimators, grids, tables and scorers by chance: every number is GridSearchCV's to 1e-12."""

import warnings
from itertools import starmap

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.metrics import make_scorer, matthews_corrcoef
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.support.searches import assert_same

# What may be chosen of each parameter's values, in any number and order.
NEIGHBORS = {"n_neighbors": [1, 2, 3, 6, 9, 15], "weights": ["uniform", "distance"], "p": [1, 2, 3]}
TREE = {"max_depth": [1, 2, 5, None], "min_samples_leaf": [1, 3, 0.1]}
FOREST = {"n_estimators": [1, 2, 4, 7], "max_features": [1, "sqrt", None], **TREE}
PENALTY = {"C": [0.01, 0.3, 1.0, 20.0], "class_weight": [None, "balanced"]}

CLASSIFIERS = [
    (KNeighborsClassifier(), NEIGHBORS),
    (KNeighborsClassifier(algorithm="ball_tree"), NEIGHBORS),
    (RandomForestClassifier(random_state=0), {**FOREST, "class_weight": [None, "balanced"]}),
    (ExtraTreesClassifier(random_state=1), {**FOREST, "bootstrap": [False, True]}),
    (DecisionTreeClassifier(random_state=2), TREE),
    (LogisticRegression(), PENALTY),
    (LinearSVC(dual=True, random_state=3, max_iter=20), PENALTY),
    (SVC(), {"C": [0.1, 1, 5], "kernel": ["rbf", "linear"]}),
    (SGDClassifier(random_state=4, max_iter=20), {"alpha": [1e-4, 1e-2], "loss": ["hinge", "log_loss"]}),
    (RidgeClassifier(), {"alpha": [0.1, 1, 9], "copy_X": [True, False]}),
    (BernoulliNB(), {"alpha": [0.1, 1.0], "fit_prior": [True, False]}),
    (GradientBoostingClassifier(random_state=5, n_estimators=3), TREE),
    (OneVsRestClassifier(LogisticRegression(solver="liblinear", random_state=6)), {"estimator__C": [0.1, 1]}),
    (BaggingClassifier(KNeighborsClassifier(), random_state=7), {"n_estimators": [2, 4]}),
    (
        VotingClassifier([("tree", DecisionTreeClassifier(random_state=8)), ("knn", KNeighborsClassifier())]),
        {"tree__max_depth": [1, 4], "knn__n_neighbors": [2, 7], "voting": ["soft"]},
    ),
]
REGRESSORS = [
    (KNeighborsRegressor(), NEIGHBORS),
    (RandomForestRegressor(random_state=0), FOREST),
    (DecisionTreeRegressor(random_state=1), TREE),
    (Ridge(), {"alpha": [0.1, 1, 9], "copy_X": [True, False]}),
    (Lasso(), {"alpha": [0.01, 0.1], "fit_intercept": [True, False]}),
    (SVR(), {"C": [0.1, 1, 5]}),
]
LABELS = {2: [(0, 1), (-1, 1), ("churned", "retained"), (False, True)], 3: [(0, 1, 2), ("a", "b", "c")]}


def _several(model, X, y):
    hits = np.asarray(model.predict(X) == np.asarray(y))
    return {"hits": hits.mean(), "first": float(hits[0])}


CLASSIFIER_SCORING = [
    "accuracy",
    "balanced_accuracy",
    None,
    ["accuracy", "f1_macro"],
    {"two": make_scorer(matthews_corrcoef), "accuracy": "accuracy"},
    _several,
]
ONE_TO_ZERO = [["f1", "accuracy", "roc_auc"], "roc_auc", {"F": "f1", "precise": "average_precision"}]
REGRESSOR_SCORING = ["r2", None, ["neg_mean_absolute_error", "neg_max_error"]]


class Chance:
    """Choices from one seed."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def one(self, choices):
        return choices[self.random.integers(len(choices))]

    def some(self, choices):
        n_chosen = self.random.integers(1, min(len(choices), 2) + 1)
        return [choices[i] for i in self.random.permutation(len(choices))[:n_chosen]]

    def happens(self, probability=0.5):
        return self.random.random() < probability


def _table(chance, kind, n_rows):
    X = chance.random.normal(size=(n_rows, chance.random.integers(3, 7)))
    if chance.happens():
        X = X.round()  # ties
    if kind == "fortran":
        return np.asfortranarray(X)
    if kind == "sparse":
        return csr_array(np.where(np.abs(X) < 0.6, 0, X))
    if kind in ("gaps", "frame"):
        X[chance.random.random(X.shape) < 0.1] = np.nan
    if kind == "frame":
        return pd.DataFrame(X, index=chance.random.permutation(n_rows) / 2).add_prefix("column_")
    return X


def _steps(chance, kind, is_classifier):
    """Return preprocessing steps and their grid."""
    steps, grid = [], {}
    if kind in ("gaps", "frame"):
        steps.append(("impute", SimpleImputer(copy=chance.happens())))
        grid["impute__strategy"] = ["mean", "median", "most_frequent"]
    if chance.happens():
        steps.append(("scale", StandardScaler(with_mean=kind != "sparse", copy=chance.happens())))
        grid["scale"] = [MaxAbsScaler(), "passthrough"]
        if kind != "sparse" and chance.happens():
            del grid["scale"]
            grid["scale__with_std"] = [True, False]
    if chance.happens(0.3):
        steps.append(("select", SelectKBest(f_classif if is_classifier else f_regression)))
        grid["select__k"] = [1, 2, 3]
    elif kind != "sparse" and chance.happens(0.3):
        steps.append(("rotate", PCA(random_state=0, svd_solver="full")))
        grid["rotate__n_components"] = [2, 3]
    if chance.happens(0.2):
        steps.append(("absolute", FunctionTransformer(np.abs)))
    return steps, grid


def _case(seed):
    """Return everything that a search needs, and scikit-learn's configuration for it."""
    chance = Chance(seed)
    kind = chance.one(["plain", "fortran", "gaps", "frame", "sparse"])
    n_rows = int(chance.random.integers(60, 120))
    X = _table(chance, kind, n_rows)
    first = X.toarray()[:, 0] if kind == "sparse" else np.nan_to_num(np.asarray(X)[:, 0])
    noisy = first + chance.random.normal(size=n_rows)
    is_classifier = chance.happens(0.8)
    if is_classifier:
        n_classes = 2 if chance.happens(0.7) else 3
        labels = chance.one(LABELS[n_classes])
        y = np.array(labels)[np.argsort(np.argsort(noisy)) * n_classes // n_rows]
        scoring = chance.one(CLASSIFIER_SCORING + (ONE_TO_ZERO * 2 if labels == (0, 1) else []))
    else:
        y, scoring = noisy, chance.one(REGRESSOR_SCORING)
    if kind == "frame":
        y = pd.Series(y, index=X.index)
    estimator, grid = chance.one(CLASSIFIERS if is_classifier else REGRESSORS)
    if kind == "sparse":  # refused by scikit-learn
        grid = {key: values for key, values in grid.items() if key not in ("p", "copy_X")}
    steps, before = _steps(chance, kind, is_classifier)
    if steps or chance.happens(0.2):
        steps = steps or [("same", "passthrough")]
        grid = {f"model__{key}": values for key, values in grid.items()}
        estimator = Pipeline([*steps, ("model", estimator)])
    chosen = {key: chance.some(grid[key]) for key in chance.some(list(grid))}
    chosen |= {key: chance.some(before[key]) for key in chance.some(list(before))} if before else {}
    shuffled = KFold(3, shuffle=True, random_state=seed)
    return {
        "pipeline": estimator,
        "grid": chosen,
        "X": X,
        "y": y,
        "cv": chance.one([2, 3, shuffled, ShuffleSplit(2, random_state=seed)]),
        "scoring": scoring,
        "refit": "hits" if scoring is _several else _first(scoring),
    }, {"transform_output": "pandas" if kind != "sparse" and chance.happens(0.2) else "default"}


def _first(scoring):
    return next(iter(scoring)) if isinstance(scoring, (list, dict)) else True


@pytest.mark.parametrize(
    "seeds",
    [range(20), pytest.param(range(20, 120), marks=pytest.mark.stack)],
    ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}",
)
def test_cases_by_chance_give_grid_search_cvs_results(seeds):
    failures = []
    for seed in seeds:
        case, config = _case(seed)
        try:
            with sklearn.config_context(**config), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert_same(**case)
        except Exception as error:
            case.pop("X"), case.pop("y")
            failures.append((seed, f"{case}, {config}: {type(error).__name__}: {error}"))
    assert not failures, "\n\n".join(starmap("seed {}: {}".format, failures[:5]))
