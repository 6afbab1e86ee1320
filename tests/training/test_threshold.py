import numpy as np
import pytest

from helpers.errors import SettingError
from helpers.training.threshold import ABOVE_ALL_SCORES, choose_threshold


def brute_force(y, probability, missed, wasted):
    tried = [*np.unique(probability), ABOVE_ALL_SCORES]
    cost = {t: np.where(probability >= t, (1 - y) * wasted, y * missed).mean() for t in tried}
    lowest = min(cost.values())
    return max(t for t, value in cost.items() if np.isclose(value, lowest, atol=1e-12)), lowest


@pytest.mark.parametrize(("missed", "wasted"), [(5, 1), (1, 1), (1, 5), (20, 0.5)])
def test_no_other_threshold_is_cheaper(missed, wasted):
    random = np.random.default_rng(0)
    probability = random.uniform(size=400).round(2)  # with ties
    y = (random.uniform(size=400) < probability).astype(int)
    chosen = choose_threshold(y, probability, missed_cost=missed, wasted_cost=wasted)
    value, cost = brute_force(y, probability, missed, wasted)
    assert chosen.cost == pytest.approx(cost, abs=1e-12)
    assert chosen.value == pytest.approx(value)
    assert chosen.cost_nobody == pytest.approx(y.mean() * missed)
    assert chosen.cost_everybody == pytest.approx((1 - y.mean()) * wasted)
    assert chosen.cost_half == pytest.approx(
        np.where(probability >= 0.5, (1 - y) * wasted, y * missed).mean()
    )


def test_nobody_is_contacted_where_that_is_cheapest():
    y, probability = np.array([0, 0, 0, 1]), np.array([0.9, 0.5, 0.4, 0.2])
    chosen = choose_threshold(y, probability, missed_cost=1, wasted_cost=5)
    assert (chosen.value, chosen.cost) == (ABOVE_ALL_SCORES, 0.25)
    assert not (np.array([1.0]) >= chosen.value).any()
    assert chosen.summary().startswith("contact nobody: costs 0.250 per customer\n")


def test_higher_cost_of_a_missed_churner_lowers_the_threshold():
    random = np.random.default_rng(1)
    probability = random.uniform(size=2000)
    y = (random.uniform(size=2000) < probability).astype(int)
    values = [choose_threshold(y, probability, missed_cost=cost).value for cost in (1, 5, 20)]
    assert values == sorted(values, reverse=True)
    # With calibrated probabilities the best threshold is wasted / (wasted + missed).
    np.testing.assert_allclose(values, [1 / 2, 1 / 6, 1 / 21], atol=0.1)


def test_invalid_costs_and_missing_probabilities_are_rejected():
    with pytest.raises(SettingError, match=r"missed_cost must be .* from 1e-6 to 1e12, not 0"):
        choose_threshold([0, 1], [0.1, 0.9], missed_cost=0)
    for probability in (None, []):
        with pytest.raises(SettingError, match="predict_proba"):
            choose_threshold([0, 1], probability)
