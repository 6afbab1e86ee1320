"""Drift statistics, compared with hand calculations, scipy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score

from helpers.data import Split
from helpers.monitoring import drift
from tests.support.bank import FEATURES


def test_psi_of_two_categories_follows_the_formula():
    before, after = pd.Series(["a"] * 50 + ["b"] * 49), pd.Series(["a"] * 20 + ["b"] * 79)
    shares = np.array([[50.5, 49.5], [20.5, 79.5]]) / 100  # half a customer is added to each bin
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert drift.psi(before, after) == pytest.approx(expected)


def test_numbers_are_binned_by_deciles_of_the_reference_and_few_values_one_by_one():
    reference = pd.Series(np.arange(1000.0))
    shares = drift.binned_shares(reference, reference + 5000)
    assert len(shares) == drift.BINS
    np.testing.assert_allclose(shares["reference"], 0.1, atol=2e-3)
    assert shares["batch"].iloc[-1] > 0.99 and np.isfinite(drift.psi(reference, reference + 5000))
    assert list(drift.binned_shares(reference % 4, reference % 3).index) == [0, 1, 2, 3]


def test_the_domain_classifier_accepts_any_number_of_new_categories(sample):
    batch = sample.X_test.assign(Geography=[f"city {number}" for number in range(len(sample.X_test))])
    assert len(batch) > 255
    assert drift.domain_classifier(sample.X_train, batch).auc > 0.99


def test_missing_values_do_not_change_the_psi():
    values = pd.Series(np.random.default_rng(0).normal(size=3000))
    assert drift.psi(values, values.mask(values.index % 3 == 0)) < 0.01
    assert drift.distribution_p(values, values.mask(values.index % 3 == 0), numeric=True) > 0.5


def test_p_values_are_scipys():
    random = np.random.default_rng(1)
    numbers = pd.Series(random.normal(size=300)), pd.Series(random.normal(0.2, 1, size=200))
    expected = stats.ks_2samp(*numbers, method="asymp").pvalue
    assert drift.distribution_p(*numbers, numeric=True) == expected
    words = pd.Series(list("aab") * 40), pd.Series(list("abc") * 30)
    expected = stats.chi2_contingency([[80, 40, 0], [30, 30, 30]], correction=False).pvalue
    assert drift.distribution_p(*words, numeric=False) == pytest.approx(expected)


@pytest.mark.parametrize("numeric", [True, False])
def test_nothing_to_compare_means_no_change(numeric):
    nothing = pd.Series([np.nan, np.nan])
    assert drift.distribution_p(pd.Series([1.0, 1.0]), nothing, numeric=numeric) == 1.0
    assert drift.distribution_p(pd.Series([1.0, 1.0]), pd.Series([1.0]), numeric=False) == 1.0


def test_a_rise_in_a_share_is_tested_exactly():
    # All 5 of 5 against 0 of 5: one of C(10, 5) = 252 equally likely arrangements.
    assert drift.share_p(0, 5, 5, 5) == pytest.approx(1 / 252)
    assert drift.share_p(0, 8000, 0, 2000) == 1.0
    assert drift.share_p(400, 8000, 20, 2000) > 0.99  # it fell


def test_holm_adjustment_by_hand():
    np.testing.assert_allclose(drift.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(drift.holm([0.9, 0.8]), [1, 1])
    assert len(drift.holm([])) == 0


def test_replicates_are_scikit_learn_scores_of_resampled_customers():
    random = np.random.default_rng(2)
    probability = random.uniform(size=500).round(2)  # with ties
    y = (random.uniform(size=500) < probability).astype(int)
    cost = random.choice([0.0, 1.0, 5.0], size=500)
    replicates = drift.bootstrap(y, probability, seed=5, cost=cost)
    without_cost = drift.bootstrap(y, probability, seed=5)  # the same customers are drawn
    pd.testing.assert_frame_equal(replicates.drop(columns="cost"), without_cost)
    order = np.argsort(probability, kind="stable")
    y, probability, cost = y[order], probability[order], cost[order]
    weights = np.random.default_rng(5).poisson(1.0, (drift.REPLICATES, 500))
    for row in (0, 1, drift.REPLICATES - 1):
        drawn = {"sample_weight": weights[row]}
        assert replicates["roc_auc"][row] == pytest.approx(roc_auc_score(y, probability, **drawn))
        assert replicates["f1"][row] == pytest.approx(f1_score(y, probability > 0.5, **drawn))
        assert replicates["cost"][row] == pytest.approx(np.average(cost, weights=weights[row]))


def test_the_domain_classifier_cannot_separate_equal_samples(sample: Split):
    result = drift.domain_classifier(sample.X_train, sample.X_test)
    assert result.p_value > 0.01
    assert result.low < 0.5 < result.high + 0.03
    assert len(result.score) == len(result.is_batch) == len(sample.X_train) + len(sample.X_test)


def test_the_domain_classifier_detects_combinations_that_no_feature_shows(sample: Split):
    reference = sample.X_train
    batch = reference.copy()
    # Now the old are active: each feature keeps its own distribution.
    batch["IsActiveMember"] = np.sort(batch["IsActiveMember"])[
        batch["Age"].rank(method="first").astype(int) - 1
    ]
    assert max(drift.psi(reference[name], batch[name]) for name in FEATURES) < 1e-9
    result = drift.domain_classifier(reference, batch)
    assert result.low > 0.6 and result.p_value < 1e-6


def test_missing_values_and_new_categories_are_signals_to_the_domain_classifier(sample: Split):
    batch = sample.X_test.copy()
    batch.loc[batch.index[::2], "CreditScore"] = np.nan
    assert drift.domain_classifier(sample.X_train, batch).auc > 0.7
    batch = sample.X_test.copy()
    batch.loc[batch.index[::2], "Geography"] = "Italy"
    assert drift.domain_classifier(sample.X_train, batch).auc > 0.7
