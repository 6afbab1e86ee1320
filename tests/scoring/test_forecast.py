"""Scores made into rates, expected numbers and costs."""

import numpy as np
import pandas as pd
import pytest

from helpers.scoring import plots
from helpers.scoring.forecast import expected_churn_by_segment, expected_costs, fit_calibration


@pytest.fixture(scope="module")
def world():
    """Return scores that exaggerate, with outcomes drawn from the true rates."""
    random = np.random.default_rng(0)
    rate = random.beta(1, 4, 20_000)
    return pd.DataFrame({"rate": rate, "score": np.sqrt(rate), "left": random.random(20_000) < rate})


def test_calibration_finds_the_rate_and_keeps_the_order(world):
    known, new = world[:10_000], world[10_000:]
    found = fit_calibration(known["score"], known["left"])(new["score"])
    assert np.abs(found - new["rate"]).mean() < 0.02 < (new["score"] - new["rate"]).mean()
    assert (np.diff(found[np.argsort(new["score"])]) >= 0).all()
    assert (fit_calibration(known["score"], known["left"])([-1.0, 2.0]) == [found.min(), found.max()]).all()


def test_expected_share_lies_within_its_interval_as_often_as_said(world):
    table = expected_churn_by_segment(world["rate"], pd.Series(np.arange(len(world)) % 200))
    seen = world["left"].groupby(np.arange(len(world)) % 200).mean()
    assert (table["customers"] == 100).all()
    inside = ((seen >= table["low"]) & (seen <= table["high"])).mean()
    assert 0.90 <= inside <= 0.99


def test_costs_are_what_mistakes_cost():
    rate = pd.Series([0.9, 0.2, 0.1])
    found = expected_costs(rate, pd.Series([True, False, False]), missed_cost=5, wasted_cost=1)
    assert found.to_dict() == pytest.approx(
        {"contact nobody": 6.0, "contact everybody": 1.8, "the model's decision": 0.1 + 1.0 + 0.5}
    )


def test_figures_say_what_they_show(world):
    customers = pd.DataFrame({"Age": [40.0, 50.0], "Geography": ["France", "Spain"]})
    customers.attrs["source"] = "some.csv"
    scores = pd.DataFrame({"probability": [0.2, 0.8]})
    fig = plots.score_distribution(scores, 0.5, customers)
    assert "50%" in fig.axes[0].get_title()
    why = pd.DataFrame({"base": [0.3, 0.3], "Age": [0.4, -0.2], "Geography": [0.1, 0.1]})
    fig = plots.reasons(why, customers, pd.Series([1, 2]))
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == ["1  0.80", "2  0.20"]
    assert fig.axes[0].get_xticklabels()[0].get_text() == "Age"
    table = expected_churn_by_segment(world["rate"], pd.Series(np.arange(len(world)) % 2)).assign(seen=0.5)
    fig = plots.expected_by_segment({"Half": table, "Again": table}, customers)
    assert [ax.get_title() for ax in fig.axes] == ["Half", "Again"]
    fig = plots.expected_costs(pd.Series({"a": 10.0, "b": 8.0, "model": 3.0}), customers)
    assert "saves 5" in fig.axes[0].get_title()
    assert fig.get_supxlabel() == "some.csv"
