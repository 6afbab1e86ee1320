"""GridSearchCV's interface on the project's search, so that scikit-learn's own tests of it can run."""

import time

from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV

from helpers.search import SearchError, grid_search


class OnOurSearch(GridSearchCV):
    """A GridSearchCV whose ``fit`` is `grid_search`; train scores are always there, errors are raised."""

    def fit(self, X, y=None):
        start = time.time()
        try:
            result = grid_search(
                self.estimator,
                self.param_grid,
                X,
                y,
                cv=self.cv or 5,
                scoring=self.scoring,
                refit=self.refit,
                n_jobs=2,
            )
        except SearchError as error:
            raise error.__cause__ from None
        self.cv_results_ = result.cv_results_
        self.best_index_ = result.best_index_
        self.best_params_ = result.best_params_
        self.best_score_ = result.best_score_
        self.best_estimator_ = result.best_estimator_
        self.n_splits_ = len(result.fold_scores(0))
        self.multimetric_ = "mean_test_score" not in result.cv_results_
        self.scorer_ = check_scoring(self.estimator, self.scoring)
        self.refit_time_ = time.time() - start
        return self
