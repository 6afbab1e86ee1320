"""What tests of the search share: the comparison with GridSearchCV, figure by figure."""

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from helpers.config import SCORES
from helpers.search.grid import SearchResult, grid_search

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def search(pipeline, grid, X, y, **changes) -> SearchResult:
    """Search with the tests' folds and scores, on two cores."""
    return grid_search(
        pipeline, grid, X, y, **{"cv": FOLDS, "scoring": SCORES, "refit": "f1", "n_jobs": 2, **changes}
    )


def assert_same(pipeline, grid, X, y, **changes) -> SearchResult:
    """Assert that every figure of the search equals GridSearchCV's to 1e-12; return the search's result."""
    found = search(pipeline, grid, X, y, **changes)
    settings = {"cv": FOLDS, "scoring": SCORES, "refit": "f1", **changes}
    plain = GridSearchCV(pipeline, grid, return_train_score=True, error_score="raise", **settings).fit(X, y)
    assert list(found.cv_results_) == list(plain.cv_results_)
    for key, values in plain.cv_results_.items():
        ours = found.cv_results_[key]
        if key == "params":
            assert repr(ours) == repr(values)
        elif key.startswith("param_"):
            assert isinstance(ours, np.ma.MaskedArray) and ours.dtype == values.dtype, key
            assert repr(ours) == repr(values)
        elif not key.endswith("_time"):
            assert ours.dtype == values.dtype, key
            np.testing.assert_allclose(ours, values, rtol=0, atol=1e-12, err_msg=key)
    assert found.best_index_ == plain.best_index_
    assert repr(found.best_params_) == repr(plain.best_params_)
    assert abs(found.best_score_ - plain.best_score_) <= 1e-12
    assert type(found.best_estimator_) is type(plain.best_estimator_)
    np.testing.assert_array_equal(found.best_estimator_.predict(X), plain.best_estimator_.predict(X))
    return found
