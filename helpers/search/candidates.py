"""The combinations of a grid as candidates: what of each can be shared, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import joblib
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from helpers.search import nearest_neighbors, random_forest
from helpers.search.fast_scorers import Scorers
from helpers.search.threads import is_thread_safe

# What can share more than preprocessing: a module that says which parameters may differ (VARYING), which
# estimators qualify (shareable) and how to fit them together (fit). Anything else is fitted one by one.
FAMILIES: dict[type, ModuleType] = {
    KNeighborsClassifier: nearest_neighbors,
    RandomForestClassifier: random_forest,
    ExtraTreesClassifier: random_forest,
}


class StepsBefore(Pipeline):
    """A pipeline's steps before its last; nobody asks whether they are fitted: they may have no state."""

    def __sklearn_is_fitted__(self) -> bool:
        return True


@dataclass(frozen=True)
class Candidate:
    """A hyperparameter combination and its unfitted estimators.

    Attributes
    ----------
    index : int
        Its place in the grid.
    estimator : estimator
        All of it.
    preprocessing : Pipeline or None
        All steps but the last; None where there is nothing to share.
    classifier : estimator
        The last step, or all of it where ``preprocessing`` is None.
    group : tuple
        Equal for candidates with equal preprocessing.
    is_kernel : bool
        Whether it takes the table as a precomputed kernel.
    preprocessing_is_safe, classifier_is_safe : bool
        Whether they may be fitted while another thread fits.
    """

    index: int
    estimator: BaseEstimator
    preprocessing: Pipeline | None
    classifier: BaseEstimator
    group: tuple
    is_kernel: bool
    preprocessing_is_safe: bool
    classifier_is_safe: bool

    def is_safe(self) -> bool:
        """Return whether all of it may be fitted while another thread fits."""
        return self.preprocessing_is_safe and self.classifier_is_safe


def make_candidate(pipeline: BaseEstimator, index: int, params: dict, scorers: Scorers) -> Candidate:
    """Return a combination as a candidate.

    Its preprocessing is shared if it is a plain Pipeline, no scorer can look into it, and its last step is
    not told to change the table it is given.

    Raises
    ------
    ValueError
        If there is no such parameter.
    """
    estimator = clone(pipeline).set_params(**clone(params, safe=False))
    is_kernel = get_tags(estimator).input_tags.pairwise
    preprocessing, classifier, before = None, estimator, {}
    if _has_shareable_steps(estimator) and scorers.predictions_only:
        last, classifier = estimator.steps[-1]
        preprocessing = StepsBefore(estimator.steps[:-1], memory=estimator.memory, verbose=estimator.verbose)
        before = {key: value for key, value in params.items() if key.partition("__")[0] != last}
    return Candidate(
        index,
        estimator,
        preprocessing,
        classifier,
        group=(preprocessing is None, is_kernel, key(before)),
        is_kernel=is_kernel,
        preprocessing_is_safe=preprocessing is None or is_thread_safe(preprocessing),
        classifier_is_safe=is_thread_safe(classifier),
    )


def _has_shareable_steps(estimator: BaseEstimator) -> bool:
    if type(estimator) is not Pipeline or len(estimator) < 2 or estimator.transform_input:
        return False
    classifier = estimator.steps[-1][1]
    return hasattr(classifier, "fit") and not any(
        name.rpartition("__")[2] in ("copy", "copy_X", "copy_x") and value is False
        for name, value in classifier.get_params().items()
    )


def key(params: dict) -> str:
    """Return a text that is equal for equal parameters."""
    try:
        return joblib.hash(params)
    except Exception:  # something that cannot be pickled: equal only to itself
        return repr({name: id(value) for name, value in params.items()})


def family_of(batch: Sequence[Candidate], n_rows: int) -> ModuleType | None:
    """Return what fits a batch of candidates together, or None."""
    classifier = batch[0].classifier
    family = FAMILIES.get(type(classifier))
    return family if family is not None and family.shareable(classifier, n_rows) else None


def make_batches(group: Sequence[Candidate], n_rows: int) -> list[list[Candidate]]:
    """Put together what a family can fit together."""
    batches: dict[Any, list[Candidate]] = {}
    for candidate in group:
        family = family_of([candidate], n_rows)
        together: Any = candidate.index
        if family is not None:
            params = candidate.classifier.get_params(deep=False)
            same = {name: value for name, value in params.items() if name not in family.VARYING}
            together = (type(candidate.classifier), key(same))
        batches.setdefault(together, []).append(candidate)
    return list(batches.values())
