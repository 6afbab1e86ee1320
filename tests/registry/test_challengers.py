import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.errors import NoChallengers, RegistryError, SettingError
from helpers.registry.challengers import (
    choose_challenger,
    compare_challengers,
    lead_over_others,
    paired_test,
    validation_scores,
)
from helpers.registry.versions import staging_version


def test_challengers_were_trained_on_this_data_and_come_best_first(store, add_version):
    add_version("knn", folds=(0.4,) * 5)
    add_version("forest", folds=(0.6,) * 5)
    table = compare_challengers(store, "abc")
    assert list(table.index) == ["forest", "knn"]
    assert table.loc["forest", "version"] == 1
    assert [choose_challenger(table, name) for name in (None, "knn")] == ["forest", "knn"]
    with pytest.raises(SettingError, match=r"'tree' has no version in staging .* choose from forest, knn"):
        choose_challenger(table, "tree")
    store.client.set_model_version_tag(
        "churn-knn", staging_version(store.client, "knn").version, "data_sha256", "x"
    )
    assert list(compare_challengers(store, "abc").index) == ["forest"]
    with pytest.raises(NoChallengers, match=r"in sqlite:///.*/mlflow\.db .*-knn, churn-forest.*03_train"):
        compare_challengers(store, "other")


def test_an_algorithm_that_was_taken_out_is_still_a_challenger(store, add_version, fitted):
    add_version("knn", folds=(0.4,) * 5)
    add_version("svm", folds=(0.6,) * 5, model=fitted["tree"])
    store.client.create_registered_model("churned")
    table = compare_challengers(store, "abc")
    assert list(table.index) == ["svm", "knn"]
    assert choose_challenger(table, "svm") == "svm"


@pytest.mark.parametrize("on_model_run", [True, False])
def test_validation_scores_are_in_fold_order(store, add_version, on_model_run):
    version = add_version("knn", folds=(0.1, 0.2, 0.3, 0.4, 0.5), on_model_run=on_model_run)
    assert validation_scores(store.client, version).to_list() == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize("on_model_run", [True, False])
def test_missing_fold_scores_are_an_error(store, add_version, on_model_run):
    version = add_version("knn", folds=(0.1, 0.2, 0.3), on_model_run=on_model_run)
    with pytest.raises(RegistryError, match=r"scores of 3 folds, not 5.*train again"):
        validation_scores(store.client, version)


def test_corrected_t_test_is_wider_than_the_plain_one():
    a, b = pd.Series([0.61, 0.60, 0.64, 0.59, 0.62]), pd.Series([0.58, 0.60, 0.61, 0.57, 0.60])
    mean, p = paired_test(a, b)
    assert mean == pytest.approx(0.02)
    # By hand: t = mean / sqrt((1/5 + 1/4) * variance), 4 degrees of freedom.
    t = 0.02 / np.sqrt(0.45 * np.var(a - b, ddof=1))
    assert p == pytest.approx(2 * stats.t.sf(t, 4))
    assert p > stats.ttest_rel(a, b).pvalue
    assert paired_test(a, a) == (0.0, 1.0)


def test_the_leader_is_tested_against_every_other_challenger():
    folds = pd.DataFrame({"a": [0.61, 0.60, 0.64], "b": [0.58, 0.60, 0.61], "c": [0.5, 0.5, 0.5]})
    tests = lead_over_others(folds)
    assert list(tests.index) == ["b", "c"]
    for name in tests.index:
        assert tuple(tests.loc[name]) == paired_test(folds["a"], folds[name])
    assert lead_over_others(folds[["a"]]).empty
