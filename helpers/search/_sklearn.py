"""The private names of scikit-learn that the search uses. Any release may rename them.

Without them the search gives the same results, only slower or later: trees come from the forest's own
``fit``, neighbors are searched for every combination, and ``fit`` finds a wrong parameter. Everything else
here and in this package is public.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

try:
    from sklearn.tree._classes import CRITERIA_CLF, DENSE_SPLITTERS
    from sklearn.tree._tree import DepthFirstTreeBuilder, Tree
except ImportError:
    CAN_BUILD_TREES = False
else:
    CAN_BUILD_TREES = True

UNLIMITED_DEPTH = np.iinfo(np.int32).max


def build_tree(
    template: BaseEstimator, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, seed: int
) -> Any:
    """Build the ``tree_`` of a decision tree without the checks of ``DecisionTreeClassifier.fit``.

    Parameters
    ----------
    template : DecisionTreeClassifier
        Fitted on rows of the same classes. Its settings must be those that `random_forest` lets through.
    X : float32 array of shape (n_rows, n_features)
        Contiguous and finite.
    y : float64 array of shape (n_rows, 1)
        Numbers of the classes.
    sample_weight : float64 array of shape (n_rows,) or None
    seed : int

    Returns
    -------
    sklearn.tree._tree.Tree
    """
    n_classes = np.array([template.n_classes_], dtype=np.intp)
    leaf = template.min_samples_leaf
    splitter = DENSE_SPLITTERS[template.splitter](
        CRITERIA_CLF[template.criterion](1, n_classes),
        template.max_features_,
        leaf,
        0.0,
        np.random.RandomState(seed),
        None,
    )
    builder = DepthFirstTreeBuilder(
        splitter,
        max(template.min_samples_split, 2 * leaf),
        leaf,
        0.0,
        UNLIMITED_DEPTH if template.max_depth is None else template.max_depth,
        template.min_impurity_decrease,
    )
    tree = Tree(X.shape[1], n_classes, 1)
    builder.build(tree, X, y, sample_weight, None)
    return tree


def searches_with_tree(neighbors: BaseEstimator) -> bool:
    """Return whether a fitted nearest-neighbors estimator is known to search with a k-d or ball tree."""
    return vars(neighbors).get("_fit_method") in ("kd_tree", "ball_tree")


def check_params(estimator: BaseEstimator) -> None:
    """Check an estimator's parameters as its ``fit`` does, without data.

    Raises
    ------
    ValueError
        If one has a wrong type or is out of range.
    """
    check = getattr(estimator, "_validate_params", None)
    # An estimator from elsewhere inherits the method, and says nothing of its parameters.
    if check is not None and hasattr(estimator, "_parameter_constraints"):
        check()
