"""Contributions add up, and are those of models whose answer is known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from helpers.config import FEATURES, NUMERIC
from helpers.scoring.explanations import shapley_values
from helpers.training.algorithms import ALGORITHMS, make_pipeline


@pytest.mark.parametrize("name", ALGORITHMS)
def test_they_add_up_to_the_score_of_any_model(sample, name):
    settings = {"classify__n_estimators": 5} if name == "forest" else {}
    model = make_pipeline(name).set_params(**settings).fit(sample.X_train, sample.y_train)
    few = sample.X_test.head(3)
    found = shapley_values(lambda table: model.predict_proba(table)[:, 1], few, sample.X_train, samples=20)
    assert list(found) == ["base", *FEATURES]
    np.testing.assert_allclose(found.sum(axis=1), model.predict_proba(few)[:, 1], rtol=0, atol=1e-12)
    again = shapley_values(lambda table: model.predict_proba(table)[:, 1], few, sample.X_train, samples=20)
    pd.testing.assert_frame_equal(found, again)


def test_of_a_linear_score_they_are_weight_times_difference(sample):
    weights = np.linspace(-1, 1, len(NUMERIC)) / sample.X_train[NUMERIC].std().to_numpy()

    def linear(table):
        return table[NUMERIC].to_numpy() @ weights

    few, known = sample.X_test.head(4), sample.X_train.head(50)
    found = shapley_values(linear, few, known, samples=100)  # 50 orders and their reverse: each customer once
    expected = (few[NUMERIC] - known[NUMERIC].mean()) * weights
    np.testing.assert_allclose(found[NUMERIC], expected, rtol=0, atol=1e-9)
    assert (found.drop(columns=["base", *NUMERIC]) == 0).all(axis=None)


def test_an_interaction_is_shared_equally(sample):
    known, one = sample.X_train.head(1).copy(), sample.X_train.head(1).copy()
    known[["Age", "Tenure", "Balance"]] = 0.0
    one[["Age", "Tenure", "Balance"]] = [2.0, 3.0, 0.0]
    found = shapley_values(lambda t: (t["Age"] * t["Tenure"]).to_numpy(), one, known, samples=2)
    assert found["Age"].item() == found["Tenure"].item() == 3.0  # half of 2 * 3 each, exactly by the reverse


def test_samples_come_close_to_the_exact_values(sample):
    """All orders of three features that matter, against what sampling finds."""
    matter = ["Age", "Tenure", "Balance"]
    known, one = sample.X_train.head(1), sample.X_train.iloc[[1]]

    def score(table):
        age, tenure, balance = (table[name].to_numpy() for name in matter)
        return age * tenure / 100 + np.maximum(age, balance / 1e4) + tenure

    exact = dict.fromkeys(matter, 0.0)
    for order in permutations(matter):
        walk = known.copy()
        for name in order:
            before = score(walk).item()
            walk[name] = one[name].to_numpy()
            exact[name] += (score(walk).item() - before) / 6
    found = shapley_values(score, one, known, samples=2000)
    for name in matter:
        assert found[name].item() == pytest.approx(exact[name], abs=0.3)


def test_an_odd_number_of_samples_is_refused(sample):
    with pytest.raises(ValueError, match="even number"):
        shapley_values(lambda table: np.zeros(len(table)), sample.X_test, sample.X_train, samples=3)
