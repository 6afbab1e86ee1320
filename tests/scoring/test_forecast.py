"""Scores turned into churn rates, expected numbers and costs."""

import numpy as np
import pandas as pd
import pytest

from helpers.data import load
from helpers.scoring.forecast import expected_churn_by_segment, expected_costs, fit_calibration, segments


@pytest.fixture(scope="module")
def customers():
    """Return scores that exaggerate, with outcomes drawn from the true rates."""
    random = np.random.default_rng(0)
    rate = random.beta(1, 4, 20_000)
    return pd.DataFrame({"rate": rate, "score": np.sqrt(rate), "churned": random.random(20_000) < rate})


def test_calibration_recovers_the_rate_and_keeps_the_order(customers):
    holdout, new = customers[:10_000], customers[10_000:]
    to_rate = fit_calibration(holdout["score"], holdout["churned"])
    rate = to_rate(new["score"])
    assert np.abs(rate - new["rate"]).mean() < 0.02 < (new["score"] - new["rate"]).mean()
    assert (np.diff(rate[np.argsort(new["score"])]) >= 0).all()
    assert (to_rate([-1.0, 2.0]) == [rate.min(), rate.max()]).all()


def test_the_interval_covers_the_observed_rate_as_often_as_it_says(customers):
    segment = pd.Series(np.arange(len(customers)) % 200)
    table = expected_churn_by_segment(customers["rate"], segment, customers["churned"])
    assert (table["customers"] == 100).all()
    inside = ((table["observed"] >= table["low"]) & (table["observed"] <= table["high"])).mean()
    assert 0.90 <= inside <= 0.99


def test_without_outcomes_nothing_is_observed(customers):
    table = expected_churn_by_segment(customers["rate"], pd.Series(np.arange(len(customers)) % 2))
    assert list(table) == ["customers", "expected", "low", "high"]


def test_costs_are_those_of_missed_churners_and_wasted_contacts():
    rate = pd.Series([0.9, 0.2, 0.1])
    costs = expected_costs(rate, pd.Series([True, False, False]), missed_cost=5, wasted_cost=1)
    assert costs.to_dict() == pytest.approx(
        {"contact nobody": 6.0, "contact everybody": 1.8, "the model's decision": 0.1 + 1.0 + 0.5}
    )


def test_segments_are_the_descriptions_or_the_strongest_features(monkeypatch):
    bank = segments(load().head(500), ["Balance"])
    assert list(bank) == ["Geography", "Age", "NumOfProducts"]
    assert bank["Age"].cat.categories[:2].tolist() == ["18-29", "30-39"]
    monkeypatch.setenv("CHURN_TABLE", "data/telecom_churn.yaml")
    telecom = load()
    found = segments(telecom, ["Data GB", "Internet", "Senior", "Contract"])
    assert all(len(segment) == len(telecom) for segment in found.values())
