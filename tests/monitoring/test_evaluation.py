"""Decisions on batches whose ground truth is known."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.false_alarm_rate import cases, decide, markdown, shares, trained
from helpers.data import load, make_customers, split, validate
from helpers.monitoring import MIN_CUSTOMERS, TOLERATED, evaluate_batch, simulate_batch
from helpers.monitoring.findings import SIGNIFICANCE
from tests.support.bank import CATEGORICAL, NEW_CUSTOMERS, TARGET
from tests.support.paths import REAL_DATA, needs_real_data


def unshifted(rows: int = 2000) -> pd.DataFrame:
    return simulate_batch("covariate", 0.0, seed=50, rows=rows)


def levels(report, check: str) -> dict[str, str]:
    return {finding.subject: finding.level for finding in report.findings if finding.check == check}


def test_customers_like_those_of_the_training_keep_the_model(evaluate):
    report = evaluate(load(NEW_CUSTOMERS, target=False))
    assert report.decision == "keep"
    assert report.reasons == [
        f"none of {len(report.findings)} checks found a significant change that matters"
    ]
    assert (report.n_customers, report.n_scored, report.n_outcomes) == (2000, 2000, 2000)


def test_covariate_shift_is_detected_without_outcomes(evaluate):
    report = evaluate(simulate_batch("covariate", 0.5, seed=50).drop(columns=TARGET))
    assert report.decision == "retrain"
    changed = {name for name, level in levels(report, "distribution").items() if level != "keep"}
    assert changed == {"Age", "Balance"}
    assert levels(report, "domain classifier") == {"all features": "retrain"}


def test_concept_shift_is_detected_with_outcomes_only(evaluate):
    batch = simulate_batch("concept", 0.5, seed=50)
    report = evaluate(batch)
    assert report.decision == "retrain"
    assert levels(report, "performance") == {"F1": "retrain", "ROC AUC": "retrain", "cost": "retrain"}
    unlabeled = evaluate(batch.drop(columns=TARGET))
    assert unlabeled.decision == "keep"
    assert unlabeled.reasons[-1] == (
        "only 0 known outcomes (at least 200 needed, 30 per class): concept shift cannot be detected"
    )


def test_missing_values_are_counted_and_not_scored(evaluate):
    batch = simulate_batch("missing", 0.1, seed=50)
    n_missing = int(batch["CreditScore"].isna().sum())
    report = evaluate(batch)
    assert report.decision == "retrain"
    assert levels(report, "missing values")["CreditScore"] == "retrain"
    assert levels(report, "distribution")["CreditScore"] == "keep"
    assert report.n_scored == 2000 - n_missing == report.table["probability"].notna().sum()
    assert any(f"{n_missing} of 2,000 customers cannot be scored" in reason for reason in report.reasons)


def test_a_new_country_is_named(evaluate):
    report = evaluate(simulate_batch("category", 0.1, seed=50))
    assert report.decision == "retrain"
    assert levels(report, "new categories") == {"Geography": "retrain", "Gender": "keep"}
    assert report.reasons[0].startswith("Geography: new category Italy for ")


def test_a_few_customers_from_a_new_country_are_reported_but_change_nothing(evaluate):
    batch = unshifted()
    batch.loc[:2, "Geography"] = "Italy"
    report = evaluate(batch)
    assert report.decision == "keep"
    assert any("3 of 2,000 customers cannot be scored" in reason for reason in report.reasons)


def test_a_negligible_shift_in_a_large_batch_is_significant_but_no_alarm(evaluate):
    batch = unshifted(rows=40_000)
    batch["EstimatedSalary"] += 6000
    report = evaluate(batch.drop(columns=TARGET))
    (salary,) = (f for f in report.of_check("distribution") if f.subject == "EstimatedSalary")
    assert salary.p_adjusted < SIGNIFICANCE and salary.effect < 0.1
    assert report.decision == "keep"


def test_the_holdout_itself_meets_the_baseline_exactly(reference, evaluate):
    parts = split(reference)
    report = evaluate(parts.X_test.assign(**{TARGET: parts.y_test}))
    for finding in report.of_check("performance", "calibration"):
        assert finding.effect == pytest.approx(0, abs=1e-12)
        assert finding.current_interval[0] < finding.reference < finding.current_interval[1]


def test_a_higher_churn_rate_among_the_same_customers_is_detected(evaluate):
    batch = unshifted()
    retained = batch.index[batch[TARGET] == 0]
    batch.loc[retained[::6], TARGET] = 1
    assert levels(evaluate(batch), "calibration") == {"churn rate": "retrain"}


@pytest.mark.parametrize("rows", [1, 3, MIN_CUSTOMERS - 1])
def test_too_few_customers_to_judge(evaluate, rows):
    report = evaluate(unshifted(rows))
    assert (report.decision, report.findings, len(report.frame())) == ("watch", [], 0)
    assert report.reasons == [f"too few customers to judge: {rows}, at least {MIN_CUSTOMERS} are needed"]


def test_the_smallest_batch_is_judged(evaluate):
    assert evaluate(unshifted(MIN_CUSTOMERS)).decision == "keep"


def test_partly_known_outcomes_are_used(evaluate):
    batch = unshifted()
    batch[TARGET] = batch[TARGET].astype("float64").mask(batch.index >= 900)
    report = evaluate(batch)
    assert report.n_outcomes == 900
    assert set(levels(report, "performance")) == {"F1", "ROC AUC", "cost"}


def test_outcomes_of_one_class_only_are_not_compared(evaluate):
    report = evaluate(unshifted().assign(**{TARGET: 0}))
    assert levels(report, "performance") == {}
    assert any("only 2000 known outcomes" in reason for reason in report.reasons)


@pytest.mark.parametrize("feature", ["Age", "Geography", "HasCrCard"])
def test_a_feature_without_any_value_is_detected_without_a_crash(evaluate, feature):
    batch = unshifted()
    batch[feature] = np.nan if feature not in CATEGORICAL else pd.Series(np.nan, batch.index, dtype="str")
    report = evaluate(batch)
    assert report.decision == "retrain" and report.n_scored == 0
    assert any("0 scores are too few" in reason for reason in report.reasons)


def test_costs_that_the_baseline_lacks_are_not_compared(reference, model):
    production, baseline = model
    scores = {name: baseline[name] for name in ("test_f1", "test_roc_auc", "missed_cost")}
    report = evaluate_batch(production, reference, unshifted(), scores)
    assert set(levels(report, "performance")) == {"F1", "ROC AUC"}
    assert any("no costs of mistakes: a cost increase cannot be detected" in r for r in report.reasons)


def test_the_decision_is_reproducible(evaluate):
    assert evaluate(unshifted()).to_json() == evaluate(unshifted()).to_json()


def test_a_simulated_batch_is_the_generators_validated_and_named():
    batch = simulate_batch("missing", 0.5, seed=7, rows=300)
    drawn = validate(make_customers(300, 7, {"missing": 0.5}), target=False, tolerate=TOLERATED)
    pd.testing.assert_frame_equal(batch, drawn)
    assert batch.attrs["source"] == "300 synthetic customers, missing=0.5"


def test_false_alarm_rate_on_a_few_batches(reference, model):
    """The same as ``python -m benchmarks.false_alarm_rate``, but smaller."""
    production, baseline = model
    few = cases(3, 1)
    assert len(few) == 3 + 4 * 4
    extremes = [case for case in few if case[1] in (0.0, 1.0)]
    decisions = [decide(production, reference, baseline, case, 1000) for case in extremes]
    table = shares(pd.DataFrame(decisions)).set_index("shift")
    assert (table.loc["unchanged", ["retrain, with outcomes", "retrain, without"]] == 0).all()
    assert (table.drop("unchanged")["retrain, with outcomes"] == 1).all()
    assert (table.drop(["unchanged", "concept"])["retrain, without"] == 1).all()
    assert "| concept | 1 | 1 | 100.0% |" in markdown(table.reset_index())


@needs_real_data
def test_a_random_part_of_the_real_table_is_like_the_rest():
    table = load(REAL_DATA)
    for seed in range(3):
        batch = table.sample(2000, random_state=seed)
        rest = table.drop(batch.index).reset_index(drop=True)
        production, baseline = trained(rest, n_estimators=30, min_samples_leaf=5)
        assert evaluate_batch(production, rest, batch.reset_index(drop=True), baseline).decision == "keep"
