"""Decisions about batches whose truth is known, and what a look leaves in MLflow."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from benchmarks.false_alarm_rate import cases, decide, markdown, shares, trained
from helpers.config import CATEGORICAL, FEATURES, NEW_CUSTOMERS, TARGET
from helpers.data.loading import load, split
from helpers.data.schema import validate
from helpers.data.synthetic import make_customers
from helpers.errors import DataError, RegistryError
from helpers.files import sha256
from helpers.monitoring import checks, monitor
from helpers.monitoring.monitor import (
    MIN_CUSTOMERS,
    TOLERATED,
    baseline_metrics,
    evaluate_batch,
    main,
    run_monitoring,
)
from helpers.tracking.stale_runs import search_runs
from helpers.training.costs import MISSED_COST, WASTED_COST
from tests.support import stores
from tests.support.paths import REAL_DATA, needs_real_data

SMALL = {"n_estimators": 30, "min_samples_leaf": 5}


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return load()


@pytest.fixture(scope="module")
def model(reference):
    return trained(reference, **SMALL)


@pytest.fixture(scope="module")
def judge(reference, model):
    live, promised = model
    return lambda batch: evaluate_batch(live, reference, batch, promised)


def customers(rows: int = 2000, seed: int = 50, **shift: float) -> pd.DataFrame:
    return validate(make_customers(rows, seed, shift), target=False, tolerate=TOLERATED)


def levels(report, check: str) -> dict[str, str]:
    return {finding.subject: finding.level for finding in report.findings if finding.check == check}


def test_customers_like_those_of_the_training_leave_the_model_live(judge):
    report = judge(load(NEW_CUSTOMERS, target=False))
    assert report.decision == "keep"
    assert report.reasons == [
        f"none of {len(report.findings)} checks found a significant change that matters"
    ]
    assert (report.n_customers, report.n_scored, report.n_outcomes) == (2000, 2000, 2000)


def test_older_and_richer_customers_are_found(judge):
    report = judge(customers(covariate=0.5).drop(columns=TARGET))
    assert report.decision == "retrain"
    found = levels(report, "distribution")
    assert {name for name, level in found.items() if level != "keep"} == {"Age", "Balance"}
    assert levels(report, "domain classifier") == {"all features": "retrain"}


def test_that_others_leave_is_found_with_outcomes_only(judge):
    batch = customers(concept=0.5)
    report = judge(batch)
    assert report.decision == "retrain"
    assert levels(report, "performance") == {"F1": "retrain", "ROC AUC": "retrain", "cost": "retrain"}
    blind = judge(batch.drop(columns=TARGET))
    assert blind.decision == "keep"
    assert any("0 known outcomes are too few" in reason for reason in blind.reasons)


def test_missing_values_are_counted_and_not_scored(judge):
    batch = customers(missing=0.1)
    gaps = int(batch["CreditScore"].isna().sum())
    report = judge(batch)
    assert report.decision == "retrain"
    assert levels(report, "missing values")["CreditScore"] == "retrain"
    assert levels(report, "distribution")["CreditScore"] == "keep"
    assert report.n_scored == 2000 - gaps == report.table["probability"].notna().sum()
    assert any(f"{gaps} of 2,000 customers can't be scored" in reason for reason in report.reasons)


def test_a_new_country_is_found_by_name(judge):
    report = judge(customers(category=0.1))
    assert report.decision == "retrain"
    assert levels(report, "new categories") == {"Geography": "retrain", "Gender": "keep"}
    assert "Italy" in report.reasons[0]


def test_a_few_customers_from_a_new_country_are_told_but_change_nothing(judge):
    batch = customers()
    batch.loc[:2, "Geography"] = "Italy"
    report = judge(batch)
    assert report.decision == "keep"
    assert any("3 of 2,000 customers can't be scored" in reason for reason in report.reasons)


def test_a_trifle_in_a_large_batch_is_significant_and_no_alarm(judge):
    batch = customers(rows=40_000)
    batch["EstimatedSalary"] += 6000
    report = judge(batch.drop(columns=TARGET))
    (salary,) = (f for f in report.findings if f.check == "distribution" and f.subject == "EstimatedSalary")
    assert salary.p_adjusted < checks.SIGNIFICANCE and salary.effect < 0.1
    assert report.decision == "keep"


def test_a_large_effect_that_may_be_chance_is_no_alarm():
    finding = checks.Finding("distribution", "Age", "PSI", 0.4, (0.1, 0.25), 0.02, "")
    assert checks.adjust_and_grade([finding])[0].level == "keep"
    certain = [replace(finding, p_value=1e-9, effect=effect) for effect in (0.05, 0.1, 0.3)]
    assert [f.level for f in checks.adjust_and_grade(certain)] == ["keep", "watch", "retrain"]


def test_the_hold_out_itself_keeps_the_promise_to_the_last_digit(reference, model, judge):
    parts = split(reference)
    report = judge(parts.X_test.assign(**{TARGET: parts.y_test}))
    for finding in report.findings:
        if finding.check in ("performance", "calibration"):
            assert finding.effect == pytest.approx(0, abs=1e-12)
            assert finding.seen_interval[0] < finding.expected < finding.seen_interval[1]


def brute_force(live, table: pd.DataFrame) -> float:
    """Count the mistakes of the live rule one by one."""
    total = 0.0
    for left, decision in zip(table[TARGET], live.score(table)["decision"], strict=True):
        if left and decision == "skip":
            total += MISSED_COST
        elif not left and decision == "contact":
            total += WASTED_COST
    return total / len(table)


@pytest.mark.parametrize(("strength", "level"), [(0.0, "keep"), (0.5, "retrain")])
def test_what_the_rule_costs_is_compared_at_its_own_threshold(reference, model, judge, strength, level):
    live, _ = model
    parts = split(reference)
    batch = customers(concept=strength)
    (cost,) = (finding for finding in judge(batch).findings if finding.subject == "cost")
    assert cost.seen == pytest.approx(brute_force(live, batch))
    assert cost.expected == pytest.approx(brute_force(live, parts.X_test.assign(**{TARGET: parts.y_test})))
    assert cost.effect == pytest.approx(cost.seen / cost.expected - 1)
    assert cost.expected_interval[0] < cost.expected < cost.expected_interval[1]
    assert cost.level == level
    assert cost.text.startswith(f"mistakes cost {cost.seen:.3f} a customer at the threshold in use")
    assert cost.text.endswith(f"where {cost.expected:.3f} was paid on the hold-out")


def test_churners_who_just_miss_the_threshold_cost_while_f1_sees_nothing(reference, model):
    live, promised = model
    parts = split(reference)
    holdout = live.score(parts.X_test)["probability"]
    scored = holdout.mask((parts.y_test == 1) & holdout.between(live.threshold, 0.5), live.threshold - 1e-9)
    sides = parts.y_test, holdout, parts.y_test, scored
    found = checks.adjust_and_grade(list(checks.check_performance(*sides, promised, live.threshold)))
    found = {finding.subject: finding for finding in found}
    assert found["F1"].effect == pytest.approx(0) and found["cost"].level == "retrain"


@pytest.mark.parametrize(("mistakes", "level"), [(0, "keep"), (1, "keep"), (60, "retrain")])
def test_a_hold_out_that_cost_nothing_is_no_division_by_zero(mistakes, level):
    y = pd.Series([0, 1] * 500)
    perfect = y.astype("float64")
    scored = perfect.mask(perfect.index < mistakes, 1.0 - perfect)
    promised = {"test_f1": 1.0, "test_roc_auc": 1.0, "missed_cost": 5.0, "wasted_cost": 1.0}
    cost = checks.adjust_and_grade(list(checks.check_performance(y, perfect, y, scored, promised, 0.5)))[-1]
    assert (cost.expected, cost.level) == (0, level)
    # Relative to one wasted contact, the least that the hold-out could have cost.
    misses = mistakes // 2
    assert cost.effect == pytest.approx(5 * misses + (mistakes - misses))


def test_more_leave_than_the_scores_say_of_customers_who_look_the_same(judge):
    batch = customers()
    stayed = batch.index[batch[TARGET] == 0]
    batch.loc[stayed[::6], TARGET] = 1
    assert levels(judge(batch), "calibration") == {"churn rate": "retrain"}


@pytest.mark.parametrize("rows", [1, 3, MIN_CUSTOMERS - 1])
def test_too_few_customers_are_a_statement(judge, rows):
    report = judge(customers(rows=rows))
    assert (report.decision, report.findings, len(report.frame())) == ("watch", [], 0)
    assert report.reasons == [f"too few customers to tell: {rows}, at least {MIN_CUSTOMERS} are needed"]


def test_the_smallest_batch_is_judged(judge):
    assert judge(customers(rows=MIN_CUSTOMERS)).decision == "keep"


def test_outcomes_of_a_part_of_the_customers_are_used(judge):
    batch = customers()
    batch[TARGET] = batch[TARGET].astype("float64").mask(batch.index >= 900)
    report = judge(batch)
    assert report.n_outcomes == 900
    assert set(levels(report, "performance")) == {"F1", "ROC AUC", "cost"}


def test_outcomes_of_one_kind_are_not_compared(judge):
    report = judge(customers().assign(**{TARGET: 0}))
    assert levels(report, "performance") == {}
    assert any("too few to compare F1" in reason for reason in report.reasons)


@pytest.mark.parametrize("feature", ["Age", "Geography", "HasCrCard"])
def test_a_feature_that_is_missing_altogether_is_found_without_a_crash(judge, feature):
    batch = customers()
    batch[feature] = np.nan if feature not in CATEGORICAL else pd.Series(np.nan, batch.index, dtype="str")
    report = judge(batch)
    assert report.decision == "retrain" and report.n_scored == 0
    assert any("0 scores are too few" in reason for reason in report.reasons)


def test_the_report_as_json_and_as_a_table(judge):
    report = judge(customers(covariate=1.0))
    content = json.loads(report.to_json())
    assert content["decision"] == report.decision and len(content["findings"]) == len(report.findings)
    table = report.frame()
    assert len(table) == len(report.findings) and table["level"].iloc[0] == "retrain"
    order = [checks.LEVELS.index(level) for level in table["level"]]
    assert order == sorted(order, reverse=True)
    assert report.summary().startswith("decision: retrain\n  - ")


def test_a_batch_decides_the_same_twice(judge):
    first, second = judge(customers()), judge(customers())
    assert first.to_json() == second.to_json()


def test_false_alarms_in_small(reference, model):
    """The same as ``python -m benchmarks.false_alarm_rate``, on a few batches."""
    live, promised = model
    few = cases(3, 1)
    assert len(few) == 3 + 4 * 4
    wanted = [case for case in few if case[1] in (0.0, 1.0)]
    table = shares(pd.DataFrame([decide(live, reference, promised, case, 1000) for case in wanted]))
    table = table.set_index("shift")
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
        live, promised = trained(rest, **SMALL)
        assert evaluate_batch(live, rest, batch.reset_index(drop=True), promised).decision == "keep"


@pytest.fixture(scope="module")
def live_store():
    from helpers.tracking.store import connect

    with stores.in_use(stores.copy(stores.promoted())):
        yield connect()


@pytest.fixture(scope="module")
def seen(live_store):
    return run_monitoring(live_store)


def test_a_look_is_a_finished_run_with_everything_in_it(live_store, seen):
    run = live_store.client.get_run(seen.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["level"] == "monitoring"
    assert run.data.tags["decision"] == run.data.params["decision"] == seen.report.decision == "keep"
    assert run.data.tags["live_version"] == str(seen.live.version)
    assert run.data.tags["batch_sha256"] == run.data.tags["data_sha256"] == sha256(NEW_CUSTOMERS)
    assert run.data.tags["reference_sha256"] == seen.live.data_sha256
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "new_customers"
    assert {f"distribution/{name}/PSI" for name in FEATURES} < run.data.metrics.keys()
    assert run.data.metrics["performance/F1/seen"] == pytest.approx(seen.report.findings[-4].seen)
    assert run.data.metrics["performance/cost/rise"] == pytest.approx(seen.report.findings[-2].effect)
    plots = {file.path for file in live_store.client.list_artifacts(seen.run_id, "plots")}
    names = {"checks", "features", "psi", "domain_classifier", "scores", "performance"}
    assert plots == {f"plots/{name}.png" for name in names}


def test_the_promise_is_what_the_live_model_scores_on_its_hold_out(live_store, seen):
    parts = split(seen.reference)
    predicted = seen.live.pipeline.predict(parts.X_test)
    promised = baseline_metrics(live_store, seen.live)
    assert (promised["missed_cost"], promised["wasted_cost"]) == (MISSED_COST, WASTED_COST)
    assert promised["test_f1"] == pytest.approx(f1_score(parts.y_test, predicted))
    assert ((seen.live.score(parts.X_test)["probability"] > 0.5) == (predicted == 1)).all()


def test_a_live_version_without_a_promise_is_refused(live_store, seen):
    bare = live_store.client.create_run(live_store.experiment_id)
    with pytest.raises(RegistryError, match="has no test_f1 nor test_roc_auc: train again"):
        baseline_metrics(live_store, replace(seen.live, run_id=bare.info.run_id))


def test_a_run_that_is_too_old_to_name_costs_promises_the_scores_alone(live_store, seen):
    old = live_store.client.create_run(live_store.experiment_id).info.run_id
    for name in ("test_f1", "test_roc_auc", "missed_cost"):
        live_store.client.log_metric(old, name, 0.5)
    scores = baseline_metrics(live_store, replace(seen.live, run_id=old))
    assert scores.keys() == {"test_f1", "test_roc_auc", "missed_cost"}
    report = evaluate_batch(seen.live, seen.reference, seen.batch, scores)
    assert set(levels(report, "performance")) == {"F1", "ROC AUC"}
    assert any("names no costs of mistakes" in reason for reason in report.reasons)


def test_a_batch_that_cannot_be_used_leaves_no_run(live_store, seen, tmp_path):
    before = len(search_runs(live_store.client, live_store.experiment_id, "tags.level = 'monitoring'"))
    bad = tmp_path / "bad.csv"
    customers(rows=300).drop(columns="Age").to_csv(bad, index=False)
    with pytest.raises(DataError, match="Age: the column is missing"):
        run_monitoring(live_store, bad)
    assert (
        len(search_runs(live_store.client, live_store.experiment_id, "tags.level = 'monitoring'")) == before
    )


def test_the_command_line_tells_the_decision_or_the_error(live_store, tmp_path, capsys):
    path = tmp_path / "gaps.csv"
    make_customers(300, 60, {"missing": 0.5}).drop(columns=TARGET).to_csv(path, index=False)
    assert main(["--batch", str(path)]) == 0
    assert capsys.readouterr().out.startswith("decision: retrain\n  - CreditScore: missing for")
    assert main(["--batch", str(tmp_path / "none.csv")]) == 1
    assert "no file" in capsys.readouterr().err


def test_nothing_live_is_a_clear_error(store, capsys):
    assert monitor.main([]) == 1
    assert "nothing is in production" in capsys.readouterr().err
