import numpy as np
import pytest

from helpers.errors import SettingError
from helpers.training.costs import COST_NAMES, Costs, costs_by_threshold, decision_costs


def test_each_customer_costs_what_the_decision_got_wrong():
    y, probability = [0, 0, 1, 1], [0.2, 0.5, 0.4, 0.9]
    np.testing.assert_array_equal(decision_costs(y, probability, 0.5, 5, 1), [0, 1, 5, 0])


def test_costs_by_threshold_are_the_mean_decision_costs():
    random = np.random.default_rng(0)
    probability = random.uniform(size=200).round(1)  # with ties
    y = (random.uniform(size=200) < probability).astype(int)
    thresholds, costs = costs_by_threshold(y, probability, 5, 1)
    assert list(thresholds) == sorted(set(probability), reverse=True)
    expected = [decision_costs(y, probability, threshold, 5, 1).mean() for threshold in thresholds]
    np.testing.assert_allclose(costs, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cost", [0, -1, np.inf, np.nan, 10**19, 10**400, 1e-9, True, "five", None])
@pytest.mark.parametrize("name", COST_NAMES)
def test_invalid_cost_is_rejected_by_name(name, cost):
    with pytest.raises(SettingError, match=f"{name} must be a number from 1e-6 to 1e12, not "):
        Costs.check({"missed_cost": 5, "wasted_cost": 1, name: cost})


@pytest.mark.parametrize("cost", [1, 0.5, 1e12, np.float64(20)])
def test_costs_are_numbers(cost):
    assert Costs.check({"missed_cost": cost, "wasted_cost": 1}).missed_cost == cost
