"""Contributions add up, and are those of models with a known answer."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from helpers.scoring.explanations import shapley_values
from helpers.training import CLASSIFY, make_pipeline
from helpers.training.algorithms import ALGORITHMS
from tests.support.bank import FEATURES, NUMERIC


@pytest.mark.parametrize("name", ALGORITHMS)
def test_contributions_add_up_to_the_score_of_any_model(sample, name):
    settings = {f"{CLASSIFY}__n_estimators": 5} if name == "forest" else {}
    model = make_pipeline(name).set_params(**settings).fit(sample.X_train, sample.y_train)

    def probability(table):
        return model.predict_proba(table)[:, 1]

    customers = sample.X_test.head(3)
    values = shapley_values(probability, customers, sample.X_train, samples=20)
    assert list(values) == ["base", *FEATURES]
    np.testing.assert_allclose(values.sum(axis=1), probability(customers), rtol=0, atol=1e-12)
    again = shapley_values(probability, customers, sample.X_train, samples=20)
    pd.testing.assert_frame_equal(values, again)


def test_for_a_linear_score_they_are_weight_times_difference(sample):
    weights = np.linspace(-1, 1, len(NUMERIC)) / sample.X_train[NUMERIC].std().to_numpy()

    def linear(table):
        return table[NUMERIC].to_numpy() @ weights

    customers, background = sample.X_test.head(4), sample.X_train.head(50)
    # 50 orders and their reverse: each background customer once.
    values = shapley_values(linear, customers, background, samples=100)
    expected = (customers[NUMERIC] - background[NUMERIC].mean()) * weights
    np.testing.assert_allclose(values[NUMERIC], expected, rtol=0, atol=1e-9)
    assert (values.drop(columns=["base", *NUMERIC]) == 0).all(axis=None)


def test_an_interaction_is_shared_equally(sample):
    background, customer = sample.X_train.head(1).copy(), sample.X_train.head(1).copy()
    background[["Age", "Tenure", "Balance"]] = 0.0
    customer[["Age", "Tenure", "Balance"]] = [2.0, 3.0, 0.0]
    values = shapley_values(lambda t: (t["Age"] * t["Tenure"]).to_numpy(), customer, background, samples=2)
    # Half of 2 * 3 each, exactly, because of the reverse order.
    assert values["Age"].item() == values["Tenure"].item() == 3.0


def test_sampling_comes_close_to_the_exact_values(sample):
    """All orders of the three features that matter, compared with sampled orders."""
    features = ["Age", "Tenure", "Balance"]
    background, customer = sample.X_train.head(1), sample.X_train.iloc[[1]]

    def score(table):
        age, tenure, balance = (table[name].to_numpy() for name in features)
        return age * tenure / 100 + np.maximum(age, balance / 1e4) + tenure

    exact = dict.fromkeys(features, 0.0)
    for order in permutations(features):
        walk = background.copy()
        for name in order:
            before = score(walk).item()
            walk[name] = customer[name].to_numpy()
            exact[name] += (score(walk).item() - before) / 6
    values = shapley_values(score, customer, background, samples=2000)
    for name in features:
        assert values[name].item() == pytest.approx(exact[name], abs=0.3)


def test_an_odd_number_of_samples_is_rejected(sample):
    with pytest.raises(ValueError, match="even number"):
        shapley_values(lambda table: np.zeros(len(table)), sample.X_test, sample.X_train, samples=3)
