import pandas as pd
import pytest

from helpers.scoring import expected_churn_by_segment, plots

CUSTOMERS = pd.DataFrame(
    {
        "Age": [40.0, 50.0],
        "Geography": ["France", "Spain"],
        "NumOfProducts": [1, 3],
        "IsActiveMember": [0, 1],
    },
    index=[10, 20],
)
CUSTOMERS.attrs["source"] = "some.csv"


def test_the_title_says_how_many_customers_are_contacted():
    fig = plots.score_distribution(pd.DataFrame({"probability": [0.2, 0.8]}), 0.5, CUSTOMERS)
    assert "50%" in fig.axes[0].get_title()
    assert fig.get_supxlabel() == "some.csv"


def test_reasons_are_the_customers_own_values_strongest_on_top():
    contributions = pd.DataFrame(
        {
            "base": [0.3, 0.3],
            "Age": [0.4, -0.2],
            "Geography": [0.1, 0.15],
            "NumOfProducts": [-0.001, 0.3],
            "IsActiveMember": [0.05, -0.1],
        },
        index=CUSTOMERS.index,
    )
    fig = plots.reasons(contributions, CUSTOMERS, pd.Series(["a", "b"], CUSTOMERS.index))
    assert [ax.get_title() for ax in fig.axes] == ["a: 0.85", "b: 0.45"]
    labels = [[label.get_text() for label in ax.get_yticklabels()][::-1] for ax in fig.axes]
    assert labels == [
        ["Age 40", "France", "not active", "1 product"],
        ["3 products", "Age 50", "Spain", "active"],
    ]
    texts = [text.get_text() for text in fig.axes[0].texts][::-1]
    assert texts == ["+0.40", "+0.10", "+0.05", "0.00"]


def test_only_the_strongest_reasons_are_plotted():
    values = {name: number / 10 for number, name in enumerate("uvwxyz", 1)}
    customers = pd.DataFrame([{name: f"value of {name}" for name in values}])
    (ax,) = plots.reasons(pd.DataFrame([{"base": 0.0, **values}]), customers, pd.Series(["a"])).axes
    assert [bar.get_width() for bar in ax.patches] == [0.2, 0.3, 0.4, 0.5, 0.6]


def test_segments_have_a_panel_each_and_observed_rates_if_known():
    rate, segment = pd.Series([0.2, 0.4, 0.6, 0.8]), pd.Series(["a", "a", "b", "b"])
    expected = expected_churn_by_segment(rate, segment)
    observed = expected_churn_by_segment(rate, segment, pd.Series([0, 1, 1, 1]))
    first, second = plots.expected_by_segment({"Half": expected, "Again": observed}, CUSTOMERS).axes
    assert [first.get_title(), second.get_title()] == ["Half", "Again"]
    diamonds = second.collections[-1].get_offsets()
    assert diamonds[:, 1].tolist() == pytest.approx([0.5, 1.0])


def test_the_title_says_what_the_decision_saves():
    fig = plots.expected_costs(pd.Series({"a": 10.0, "b": 8.0, "model": 3.0}), CUSTOMERS)
    assert "saves 5 compared with the better simple rule" in fig.axes[0].get_title()
