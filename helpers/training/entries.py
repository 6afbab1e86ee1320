"""What an algorithm is, and what an entry of ``ALGORITHMS`` needs: checked without fitting anything."""

import importlib
import re
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from helpers.errors import SettingError, one_line
from helpers.search import check_params

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")  # part of a registered model's name, and of files' names


@dataclass(frozen=True)
class Algorithm:
    """An estimator and its default grid.

    Parameters
    ----------
    title : str
        For people: "random forest".
    estimator : BaseEstimator
        An unfitted classifier.
    grid : dict
        Values to try by parameter of the estimator.
    trusted_types : tuple of str, optional
        Dotted names of types in a fitted estimator that the safe format (skops) may load, beside those that
        the project has reviewed.
    """

    title: str
    estimator: BaseEstimator
    grid: dict[str, list]
    trusted_types: tuple[str, ...] = ()


def check_entry(name: object, entry: object) -> None:
    """Check an entry of a user's ``ALGORITHMS``.

    Raises
    ------
    SettingError
        If the name does not fit MLflow's names, the entry is no `Algorithm`, its estimator is no unfitted
        classifier with ``predict_proba``, or its grid does not fit the estimator.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(f"{name!r} is no name: use lower-case letters, digits and _, at most 50")
    if not isinstance(entry, Algorithm):
        raise SettingError(f"must be an Algorithm(title, estimator, grid), not {_shown(entry)}")
    if not isinstance(entry.title, str) or not entry.title.strip() or "\n" in entry.title:
        raise SettingError(f"the title must be a line of text, not {_shown(entry.title)}")
    _check_estimator(entry.estimator)
    _check_grid(entry.estimator, entry.grid)
    _check_types(entry.trusted_types)


def _check_estimator(estimator: Any) -> None:
    if isinstance(estimator, type):
        raise SettingError(f"the estimator is the class {estimator.__name__}: write {estimator.__name__}()")
    title = type(estimator).__name__
    try:
        suits = is_classifier(estimator) and hasattr(estimator, "fit")
    except AttributeError:  # it has no tags
        suits = False
        if getattr(estimator, "estimator", title) is None:
            raise SettingError(
                f"{title} needs an estimator inside, as in {title}(LogisticRegression())"
            ) from None
    if not suits:
        raise SettingError(
            f"{title} is no classifier of scikit-learn's kind: a class of your own inherits from "
            "ClassifierMixin and BaseEstimator, in this order, and has fit and predict_proba"
        )
    if not get_tags(estimator).target_tags.single_output:
        raise SettingError(f"{title} predicts several targets, and the outcome is one")
    # Some have it with some parameters: the trial fit tells.
    if not hasattr(estimator, "predict_proba") and not hasattr(type(estimator), "predict_proba"):
        raise SettingError(without_probabilities(title))
    try:
        clone(estimator)
    except Exception as error:
        raise SettingError(f"{title} cannot be cloned: {one_line(error)}") from error
    if get_tags(estimator).requires_fit and _is_fitted(estimator):
        raise SettingError(f"{title} is fitted already: give it unfitted")


def _is_fitted(estimator: BaseEstimator) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _check_grid(estimator: BaseEstimator, grid: object) -> None:
    if not isinstance(grid, dict) or not grid:
        raise SettingError(f"the grid must map parameters to lists of values, not {_shown(grid)}")
    for key, values in grid.items():
        check_key(estimator, key, values)
        for value in values:
            check_value(estimator, key, value)


def check_key(estimator: BaseEstimator, key: object, values: object) -> None:
    """Check that a grid's key is a parameter of an estimator, and that it has a list of values.

    Raises
    ------
    SettingError
    """
    params = estimator.get_params()
    if key not in params:
        title = type(estimator).__name__
        raise SettingError(f"unknown grid key {key!r} for {title}: choose from {', '.join(sorted(params))}")
    if not isinstance(values, list) or not values:
        raise SettingError(f"grid key {key!r} needs a non-empty list of values, not {_shown(values)}")


def check_value(estimator: BaseEstimator, key: str, value: object) -> None:
    """Check a value of a grid as the estimator's ``fit`` would.

    Raises
    ------
    SettingError
    """
    try:
        check_params(clone(estimator).set_params(**{key: value}))
    except (ValueError, TypeError, OverflowError) as error:
        raise SettingError(f"grid key {key!r} cannot be {value!r}: {one_line(error)}") from None


def without_probabilities(title: str) -> str:
    """Return the message about an estimator that has no ``predict_proba``."""
    return (
        f"{title} has no predict_proba, which the threshold and the scores need: wrap it, as in "
        "CalibratedClassifierCV(...), or choose parameters with probabilities"
    )


def _check_types(names: object) -> None:
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
        raise SettingError(
            f'trusted_types must be a tuple of dotted names, ("package.module.Type",), not {names!r}'
        )
    for name in names:
        module, _, short = name.rpartition(".")
        try:
            getattr(importlib.import_module(module), short)
        except (ImportError, AttributeError, ValueError):
            raise SettingError(f"trusted_types has {name!r}, which cannot be imported") from None


def _shown(value: object) -> str:
    text = f"{value!r}"
    return text if len(text) <= 80 else f"a {type(value).__name__}"
