"""The data of each fold, before and after preprocessing."""

from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from helpers.search.precomputed import PrecomputedTransform


@dataclass(frozen=True)
class Fold:
    """One fold: its number, the whole data, and the row numbers of both parts."""

    number: int
    X: Any
    y: Any
    train: np.ndarray
    val: np.ndarray

    def take(self, *, is_kernel: bool) -> "FoldData":
        """Take both parts' rows, as GridSearchCV takes them; nobody else sees these tables.

        Parameters
        ----------
        is_kernel : bool
            Whether the table is a precomputed kernel, with a column per training row.

        Raises
        ------
        ValueError
            If it is a kernel that is not square.
        """
        if is_kernel:
            shape: tuple = getattr(self.X, "shape", ())
            if len(shape) != 2 or shape[0] != shape[1]:
                raise ValueError("a precomputed kernel must be a square array or sparse matrix")
            X_train, X_val = (self.X[np.ix_(rows, self.train)] for rows in (self.train, self.val))
        else:
            X_train, X_val = take_rows(self.X, self.train), take_rows(self.X, self.val)
        return FoldData(X_train, X_val, take_rows(self.y, self.train), take_rows(self.y, self.val), X_train)


@dataclass(frozen=True)
class FoldData:
    """Both parts of a fold, and what the last step is fitted on and predicts from.

    Attributes
    ----------
    X_train, X_val, y_train, y_val
        As in the user's table.
    X_fit : table
        What the last step is fitted on; ``X_train`` where there is no shared preprocessing.
    preprocessing : PrecomputedTransform or None
        Knows both parts' transformed tables.
    """

    X_train: Any
    X_val: Any
    y_train: Any
    y_val: Any
    X_fit: Any
    preprocessing: PrecomputedTransform | None = None

    def datasets(self) -> list:
        """Return both parts as the last step sees them."""
        if self.preprocessing is None:
            return [self.X_train, self.X_val]
        return [self.preprocessing.transform(X) for X in (self.X_train, self.X_val)]

    def pipeline(self, classifier: BaseEstimator, *, copies: bool) -> BaseEstimator:
        """Return an estimator that predicts from the fold's original tables.

        Parameters
        ----------
        classifier : estimator
        copies : bool
            Whether the classifier gets copies of the shared tables, which it may change.
        """
        if self.preprocessing is None:
            return classifier
        known = self.preprocessing
        preprocessing = PrecomputedTransform(known.fitted, known.results, copies)
        return Pipeline([("preprocessing", preprocessing), ("classifier", classifier)])


def transform(fold: Fold, preprocessing: Pipeline, *, is_kernel: bool) -> FoldData:
    """Fit a preprocessing and transform both parts of a fold.

    If it changes the table that it is given, as with ``copy=False``, the fold is returned as it was, without
    preprocessing: GridSearchCV's train scores are then those of the changed table; only plain fits give them.
    """
    data = fold.take(is_kernel=is_kernel)
    preprocessing = clone(preprocessing)
    # The training part twice: a target encoder's fit_transform, for one, is not its transform.
    X_fit = preprocessing.fit_transform(data.X_train, data.y_train)
    results = [(X, preprocessing.transform(X)) for X in (data.X_train, data.X_val)]
    original = fold.take(is_kernel=is_kernel)
    if not (_is_equal(data.X_train, original.X_train) and _is_equal(data.X_val, original.X_val)):
        return original
    shared = PrecomputedTransform(preprocessing, results)
    return FoldData(data.X_train, data.X_val, data.y_train, data.y_val, X_fit, shared)


def take_rows(table: Any, rows: np.ndarray) -> Any:
    """Return some rows of a table or target of any kind, as scikit-learn takes them; None of None."""
    if table is None:
        return None
    if hasattr(table, "iloc"):
        return table.iloc[rows]
    return table[rows] if hasattr(table, "shape") else [table[row] for row in rows]


def _is_equal(table: Any, other: Any) -> bool:
    """Return whether two tables are equal; NaN equals NaN."""
    if hasattr(table, "equals"):
        return bool(table.equals(other))
    if issparse(table):
        return all(
            joblib.hash(getattr(table, name)) == joblib.hash(getattr(other, name))
            for name in ("data", "indices", "indptr")
        )
    return joblib.hash(table) == joblib.hash(other)
