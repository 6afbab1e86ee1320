"""The algorithms: a pipeline and a default grid for each.

`ALGORITHMS` are the project's; `algorithms` has those of installed packages and of the user's file, too.
"""

import os
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from helpers.config import SEED
from helpers.errors import SettingError
from helpers.training.entries import Algorithm
from helpers.training.own_algorithms import VARIABLE, own_algorithms
from helpers.training.preprocessing import make_preprocessing

# The steps of every pipeline.
PREPARE, CLASSIFY = "prepare", "classify"


ALGORITHMS = {
    "knn": Algorithm(
        "k-nearest neighbors",
        KNeighborsClassifier(),
        {"n_neighbors": [3, 5, 7, 9, 11, 15, 21, 31], "weights": ["uniform", "distance"], "p": [1, 2]},
    ),
    "logreg": Algorithm(
        "logistic regression",
        LogisticRegression(max_iter=1000),
        {"C": [0.001, 0.01, 0.1, 1, 10, 100], "class_weight": [None, "balanced"]},
    ),
    "tree": Algorithm(
        "decision tree",
        DecisionTreeClassifier(random_state=SEED),
        {
            "max_depth": [3, 5, 7, 9, None],
            "min_samples_leaf": [1, 5, 20, 50],
            "class_weight": [None, "balanced"],
        },
    ),
    "forest": Algorithm(
        "random forest",
        RandomForestClassifier(random_state=SEED),
        {
            "n_estimators": [100, 200, 400],
            "max_depth": [6, 10, None],
            "min_samples_leaf": [1, 5],
            "class_weight": [None, "balanced"],
        },
    ),
}


def algorithms() -> dict[str, Algorithm]:
    """Return every algorithm by name: the project's, then those of installed packages and the user's file.

    Raises
    ------
    SettingError
        If one of the user's cannot be loaded, does not have what it needs, or has a name that is taken.
    """
    found = dict(ALGORITHMS)
    for source, entries in own_algorithms():
        if taken := sorted(found.keys() & entries.keys()):
            raise SettingError(
                f"{source}: the name {taken[0]!r} is taken by another algorithm: choose another name"
            )
        found |= entries
    return found


def algorithm(name: str) -> Algorithm:
    """Look up an algorithm by name.

    Raises
    ------
    SettingError
        If the name is unknown; the message lists the known ones.
    """
    known = algorithms()
    if name not in known:
        raise SettingError(f"unknown model {name!r}: choose one of {', '.join(known)}")
    return known[name]


def use_algorithms(path: str | os.PathLike | None) -> dict[str, Algorithm]:
    """Use the algorithms of a file from here on, in this process and those it starts.

    Parameters
    ----------
    path : path or None
        None for the file that the process started with, if any: an earlier call no longer counts.

    Returns
    -------
    dict
        See `algorithms`.

    Raises
    ------
    SettingError
        See `algorithms`.
    """
    return VARIABLE.use(path, algorithms)


def make_pipeline(name: str, customers: pd.DataFrame | None = None) -> Pipeline:
    """Return the unfitted pipeline of an algorithm: preprocessing (``prepare``), then ``classify``.

    See `preprocessing.make_preprocessing`, also for ``customers``. Every ``random_state`` of the estimator
    that is None becomes `SEED`: a training repeated gives the same model.
    """
    return Pipeline([(PREPARE, make_preprocessing(customers)), (CLASSIFY, seeded(algorithm(name).estimator))])


def seeded(estimator: BaseEstimator) -> BaseEstimator:
    """Return a copy in which every ``random_state`` that is None, also of estimators inside, is `SEED`."""
    copy = clone(estimator)
    params = copy.get_params()
    free = [key for key, value in params.items() if value is None and key.split("__")[-1] == "random_state"]
    return copy.set_params(**dict.fromkeys(free, SEED))


def add_step_prefix(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grid or a combination with the pipeline's step in front of every key."""
    return {f"{CLASSIFY}__{key}": value for key, value in params.items()}


def strip_step_prefix(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a combination without the pipeline's step in front of its keys."""
    return {key.removeprefix(f"{CLASSIFY}__"): value for key, value in params.items()}


def combination_name(params: Mapping[str, Any]) -> str:
    """Return a combination's run name, keys in alphabetical order: ``n_neighbors=9 p=2 weights=distance``."""
    return " ".join(f"{key}={value}" for key, value in sorted(strip_step_prefix(params).items()))
