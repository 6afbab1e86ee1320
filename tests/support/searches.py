"""The comparison of the search with GridSearchCV, score by score."""

from copy import deepcopy

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from helpers.config import SCORES
from helpers.search import SearchResult, grid_search

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def search(pipeline, grid, X, y, **changes) -> SearchResult:
    """Search with the tests' folds and scores, on two cores."""
    return grid_search(
        pipeline, grid, X, y, **{"cv": FOLDS, "scoring": SCORES, "refit": "f1", "n_jobs": 2, **changes}
    )


def assert_same(pipeline, grid, X, y, **changes) -> SearchResult:
    """Assert that every number of the search equals GridSearchCV's to 1e-12; return the search's result."""
    result = search(pipeline, grid, X, y, **changes)
    settings = {"cv": FOLDS, "scoring": SCORES, "refit": "f1", **changes}
    settings.pop("n_jobs", None)
    reference = GridSearchCV(pipeline, grid, return_train_score=True, error_score="raise", **settings)
    expected = reference.fit(deepcopy(X), y)  # it leaves a table changed that a step changes in place
    assert list(result.cv_results_) == list(expected.cv_results_)
    for key, values in expected.cv_results_.items():
        actual = result.cv_results_[key]
        if key == "params":
            assert repr(actual) == repr(values)
        elif key.startswith("param_"):
            assert isinstance(actual, np.ma.MaskedArray) and actual.dtype == values.dtype, key
            assert repr(actual) == repr(values)
        elif not key.endswith("_time"):
            assert actual.dtype == values.dtype, key
            np.testing.assert_allclose(actual, values, rtol=0, atol=1e-12, err_msg=key)
    assert result.best_index_ == expected.best_index_
    assert repr(result.best_params_) == repr(expected.best_params_)
    assert abs(result.best_score_ - expected.best_score_) <= 1e-12
    assert type(result.best_estimator_) is type(expected.best_estimator_)
    actual, predicted = (each.best_estimator_.predict(deepcopy(X)) for each in (result, expected))
    np.testing.assert_array_equal(actual, predicted)
    return result
