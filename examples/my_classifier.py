"""A class of one's own: naive Bayes on ranks, to which a very large value is no more than a large one."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.validation import check_is_fitted, validate_data

from helpers.training import Algorithm


class RankedBayes(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes on each column's share of customers below a value.

    Parameters
    ----------
    var_smoothing : float
        As in ``GaussianNB``.
    """

    def __init__(self, var_smoothing: float = 1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y) -> "RankedBayes":
        """Remember the sorted columns, and fit on the ranks."""
        X, y = validate_data(self, X, y)
        self.sorted_ = np.sort(X, axis=0)
        self.bayes_ = GaussianNB(var_smoothing=self.var_smoothing).fit(self._ranks(X), y)
        self.classes_ = self.bayes_.classes_
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Return the probability of each class."""
        check_is_fitted(self)
        return self.bayes_.predict_proba(self._ranks(validate_data(self, X, reset=False)))

    def predict(self, X) -> np.ndarray:
        """Return the likelier class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _ranks(self, X: np.ndarray) -> np.ndarray:
        columns = zip(self.sorted_.T, X.T, strict=True)
        return np.column_stack([np.searchsorted(known, new) / len(known) for known, new in columns])


ALGORITHMS = {
    "ranked_bayes": Algorithm("ranked naive Bayes", RankedBayes(), {"var_smoothing": [1e-9, 1e-3, 0.1]})
}
