"""The data of each fold, before and after preprocessing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from helpers.search.precomputed import PrecomputedTransform


@dataclass(frozen=True)
class Fold:
    """One fold's data, and the preprocessing that a group of candidates shares."""

    number: int
    X_train: Any
    X_val: Any
    y_train: Any
    y_val: Any
    preprocessing: Pipeline | None = None

    def transform(self) -> "TransformedFold":
        """Fit the preprocessing and transform both parts."""
        if self.preprocessing is None:
            return TransformedFold(self, self.X_train, self.X_train, self.X_val)
        preprocessing = clone(self.preprocessing)
        # The training part twice: a target encoder's fit_transform, for one, is not its transform.
        X_fit = preprocessing.fit_transform(self.X_train, self.y_train)
        X_train, X_val = preprocessing.transform(self.X_train), preprocessing.transform(self.X_val)
        results = [(self.X_train, X_train), (self.X_val, X_val)]
        return TransformedFold(self, X_fit, X_train, X_val, PrecomputedTransform(preprocessing, results))


@dataclass(frozen=True)
class TransformedFold:
    """A fold after preprocessing: the table to fit on, and both parts to predict on."""

    fold: Fold
    X_fit: Any
    X_train: Any
    X_val: Any
    preprocessing: PrecomputedTransform | None = None

    def transform(self) -> "TransformedFold":
        """Do nothing; it is transformed."""
        return self

    def pipeline(self, classifier: BaseEstimator) -> BaseEstimator:
        """Return an estimator that predicts from the fold's original tables."""
        if self.preprocessing is None:
            return classifier
        return Pipeline([("preprocessing", self.preprocessing), ("classifier", classifier)])


def make_folds(
    estimator: BaseEstimator, X: Any, y: Any, splits: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Fold]:
    """Yield every fold's data, the rows taken as GridSearchCV takes them.

    Parameters
    ----------
    estimator : estimator
        Its tags say whether the table is a precomputed kernel, with a column per training row.
    X : table of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
    splits : sequence of (training rows, validation rows)
        Row numbers.
    """
    is_kernel = get_tags(estimator).input_tags.pairwise
    for number, (train, val) in enumerate(splits):
        if is_kernel:
            X_train, X_val = X[np.ix_(train, train)], X[np.ix_(val, train)]
        else:
            X_train, X_val = _rows(X, train), _rows(X, val)
        yield Fold(number, X_train, X_val, _rows(y, train), _rows(y, val))


def _rows(table: Any, rows: np.ndarray) -> Any:
    if hasattr(table, "iloc"):
        return table.iloc[rows]
    return table[rows] if hasattr(table, "shape") else [table[row] for row in rows]
