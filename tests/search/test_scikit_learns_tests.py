"""scikit-learn's own tests of GridSearchCV, run on this search where they apply."""

import inspect
import re

import pytest
from sklearn.model_selection.tests import test_search as theirs
from sklearn.neighbors import LocalOutlierFactor
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils._testing import MinimalClassifier, MinimalRegressor
from sklearn.utils.fixes import CSR_CONTAINERS

from tests.support.grid_search_cv import OnOurSearch

# The arguments of each test that applies, once per call.
APPLY = {
    "test_grid_search": [{}],
    "test_grid_search_pipeline_steps": [{}],
    "test_grid_search_no_score": [{}],
    "test_grid_search_score_method": [{}],
    "test_trivial_cv_results_attr": [{}],
    "test_grid_search_error": [{}],
    "test_grid_search_one_grid_point": [{}],
    "test_grid_search_when_param_grid_includes_range": [{}],
    "test_grid_search_bad_param_grid": [{}],
    "test_grid_search_sparse": [{"csr_container": kind} for kind in CSR_CONTAINERS],
    "test_grid_search_sparse_scoring": [{"csr_container": kind} for kind in CSR_CONTAINERS],
    "test_grid_search_precomputed_kernel": [{}],
    "test_grid_search_precomputed_kernel_error_nonsquare": [{}],
    "test_refit": [{}],
    "test_gridsearch_nd": [{}],
    "test_X_as_list": [{}],
    "test_y_as_list": [{}],
    "test_pandas_input": [{}],
    "test_unsupervised_grid_search": [{}],
    "test_gridsearch_no_predict": [{}],
    "test_grid_search_cv_results": [{}],
    "test_search_default_iid": [
        {"SearchCV": OnOurSearch, "specialized_params": {"param_grid": {"C": [1, 10]}}}
    ],
    "test_search_cv_score_samples_error": [
        {"search_cv": OnOurSearch(DecisionTreeClassifier(), {"max_depth": [5, 10]})}
    ],
    "test_search_cv_score_samples_method": [
        {
            "search_cv": OnOurSearch(
                LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 10]}, scoring="precision"
            )
        }
    ],
    "test_search_cv_results_rank_tie_breaking": [{}],
    "test_search_cv_results_none_param": [{}],
    "test_grid_search_correct_score_results": [{}],
    "test_pickle": [{}],
    "test_grid_search_with_multioutput_data": [{}],
    "test_predict_proba_disabled": [{}],
    "test_grid_search_allows_nans": [{}],
    "test_stochastic_gradient_loss_param": [{}],
    "test_search_train_scores_set_to_false": [{}],
    "test_grid_search_cv_splits_consistency": [{}],
    "test_transform_inverse_transform_round_trip": [{}],
    "test_custom_run_search": [{}],
    "test_searchcv_raise_warning_with_non_finite_score": [
        {
            "SearchCV": OnOurSearch,
            "specialized_params": {"param_grid": {"max_depth": [2, 3, 5, 8]}},
            "return_train_score": True,
        }
    ],
    "test_callable_multimetric_confusion_matrix": [{}],
    "test_callable_multimetric_same_as_list_of_strings": [{}],
    "test_callable_single_metric_same_as_single_string": [{}],
    "test_n_features_in": [{}],
    "test_search_cv_pairwise_property_equivalence_of_precomputed": [{}],
    "test_search_cv_using_minimal_compatible_estimator": [
        {"SearchCV": OnOurSearch, "Predictor": kind} for kind in (MinimalClassifier, MinimalRegressor)
    ],
    "test_search_estimator_param": [{"SearchCV": OnOurSearch, "param_search": "param_grid"}],
    "test_cv_results_dtype_issue_29074": [{}],
    "test_search_with_estimators_issue_29157": [{}],
    "test_cv_results_multi_size_array": [{}],
}

ALWAYS_REFIT = "refit must be a score: False and callables have no use here"
ERROR_SCORE = "a combination that fails stops the search: there is no error_score"
FIT_PARAMS = "there are no groups, sample weights or other metadata"
NO_SEARCH = "GridSearchCV's class, but no search"
CALLBACKS = "scikit-learn's callbacks are not offered; on_result is"
DO_NOT_APPLY = {
    "test_SearchCV_with_fit_params": FIT_PARAMS,
    "test_grid_search_groups": FIT_PARAMS,
    "test_classes__property": ALWAYS_REFIT,
    "test_no_refit": ALWAYS_REFIT,
    "test_refit_callable": ALWAYS_REFIT,
    "test_refit_callable_invalid_type": ALWAYS_REFIT,
    "test_refit_callable_out_bound": ALWAYS_REFIT,
    "test_refit_callable_multi_metric": ALWAYS_REFIT,
    "test_grid_search_cv_results_multimetric": ALWAYS_REFIT,
    "test_unsupported_sample_weight_scorer": FIT_PARAMS,
    "test_search_cv_sample_weight_equivalence": FIT_PARAMS,
    "test_search_cv_timing": ERROR_SCORE,
    "test_grid_search_failing_classifier": ERROR_SCORE,
    "test_grid_search_classifier_all_fits_fail": ERROR_SCORE,
    "test_grid_search_failing_classifier_raise": ALWAYS_REFIT,
    "test_parameters_sampler_replacement": NO_SEARCH,
    "test_callable_multimetric_error_on_invalid_key": "the message is our own, and tested in test_exactness",
    "test_callable_multimetric_error_failing_clf": ERROR_SCORE,
    "test_callable_multimetric_clf_all_fits_fail": ERROR_SCORE,
    "test_search_cv_pairwise_property_delegated_to_base_estimator": NO_SEARCH,
    "test_search_cv__pairwise_property_delegated_to_base_estimator": NO_SEARCH,
    "test_scalar_fit_param": FIT_PARAMS,
    "test_scalar_fit_param_compat": FIT_PARAMS,
    "test_search_cv_verbose_3": "there is no verbose; on_result tells of each result",
    "test_search_html_repr": ALWAYS_REFIT,
    "test_multi_metric_search_forwards_metadata": FIT_PARAMS,
    "test_score_rejects_params_with_no_routing_enabled": FIT_PARAMS,
    "test_array_api_search_cv_classifier": "tables of other array libraries are not offered",
    "test_search_callbacks_no_propagation": CALLBACKS,
    "test_search_callbacks_propagation": CALLBACKS,
    "test_search_callbacks_receive_sample_weight": CALLBACKS,
    "test_search_callbacks_with_partial_fit_failures": CALLBACKS,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "arguments"), [(name, arguments) for name, calls in APPLY.items() for arguments in calls]
)
def test_scikit_learns_test_passes_on_this_search(name, arguments, monkeypatch):
    monkeypatch.setattr(theirs, "GridSearchCV", OnOurSearch)
    getattr(theirs, name)(**arguments)


def test_each_of_scikit_learns_tests_of_grid_search_cv_applies_or_has_a_reason_not_to():
    """Another release may have other tests: decide about each."""
    of_grid_search_cv = {
        name
        for name, test in inspect.getmembers(theirs, inspect.isfunction)
        if name.startswith("test_") and re.search(r"\bGridSearchCV\b", inspect.getsource(test))
    }
    assert of_grid_search_cv == APPLY.keys() | DO_NOT_APPLY.keys()
    assert not APPLY.keys() & DO_NOT_APPLY.keys()
