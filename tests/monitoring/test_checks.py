import numpy as np
import pandas as pd
import pytest

from helpers.data import split
from helpers.monitoring import checks, simulate_batch
from helpers.monitoring.findings import adjust_and_grade
from tests.support.bank import MISSED_COST, TARGET, WASTED_COST


def brute_force_cost(production, table: pd.DataFrame) -> float:
    """Count the mistakes of the production model's decisions one by one."""
    total = 0.0
    for churned, decision in zip(table[TARGET], production.score(table)["decision"], strict=True):
        if churned and decision == "skip":
            total += MISSED_COST
        elif not churned and decision == "contact":
            total += WASTED_COST
    return total / len(table)


@pytest.mark.parametrize(("strength", "level"), [(0.0, "keep"), (0.5, "retrain")])
def test_the_cost_of_decisions_is_compared_at_the_models_own_threshold(
    reference, model, evaluate, strength, level
):
    production, _ = model
    parts = split(reference)
    batch = simulate_batch("concept", strength, seed=50)
    (cost,) = (finding for finding in evaluate(batch).findings if finding.subject == "cost")
    assert cost.current == pytest.approx(brute_force_cost(production, batch))
    holdout = parts.X_test.assign(**{TARGET: parts.y_test})
    assert cost.reference == pytest.approx(brute_force_cost(production, holdout))
    assert cost.effect == pytest.approx(cost.current / cost.reference - 1)
    assert cost.reference_interval[0] < cost.reference < cost.reference_interval[1]
    assert cost.level == level
    costs = f"{cost.current:.3f}, {cost.reference:.3f} on the hold-out"
    assert cost.text == f"cost of mistakes per customer {costs}"


def test_churners_just_below_the_threshold_raise_the_cost_but_not_f1(reference, model):
    production, baseline = model
    parts = split(reference)
    scores = production.score(parts.X_test)["probability"]
    holdout = pd.DataFrame({TARGET: parts.y_test, "probability": scores})
    missed = (parts.y_test == 1) & scores.between(production.threshold, 0.5)
    batch = holdout.assign(probability=scores.mask(missed, production.threshold - 1e-9))
    findings = adjust_and_grade(checks.check_performance(holdout, batch, baseline, production.threshold))
    by_metric = {finding.subject: finding for finding in findings}
    assert by_metric["F1"].effect == pytest.approx(0)
    assert by_metric["cost"].level == "retrain"


@pytest.mark.parametrize(("mistakes", "level"), [(0, "keep"), (1, "keep"), (60, "retrain")])
def test_a_holdout_without_mistakes_is_no_division_by_zero(mistakes, level):
    y = pd.Series([0, 1] * 500)
    perfect = y.astype("float64")
    holdout = pd.DataFrame({TARGET: y, "probability": perfect})
    batch = holdout.assign(probability=perfect.mask(perfect.index < mistakes, 1.0 - perfect))
    baseline = {"test_f1": 1.0, "test_roc_auc": 1.0, "missed_cost": 5.0, "wasted_cost": 1.0}
    cost = adjust_and_grade(checks.check_performance(holdout, batch, baseline, 0.5))[-1]
    assert (cost.reference, cost.level) == (0, level)
    # Relative to one wasted contact, the least that the hold-out could have cost.
    misses = mistakes // 2
    assert cost.effect == pytest.approx(5 * misses + (mistakes - misses))


def test_calibration_corrects_for_the_error_on_the_holdout():
    random = np.random.default_rng(0)
    probability = random.uniform(size=4000)
    y = (random.uniform(size=4000) < probability / 2).astype(int)  # scores twice as high as the churn rate
    holdout = pd.DataFrame({TARGET: y[:2000], "probability": probability[:2000]})
    batch = pd.DataFrame({TARGET: y[2000:], "probability": probability[2000:]})
    finding = checks.check_calibration(holdout, batch)
    assert finding.current == pytest.approx(y[2000:].mean())
    error = (holdout[TARGET] - holdout["probability"]).mean()
    assert finding.reference == pytest.approx(batch["probability"].mean() + error)
    assert finding.effect < 0.02 and finding.p_value > 0.05
    low, high = finding.current_interval
    assert (low + high) / 2 == pytest.approx(finding.current)
    assert high - low == pytest.approx(2 * 1.96 * (batch[TARGET] - batch["probability"]).std() / 2000**0.5)
