"""Every picture of tables with other columns: odd names, missing values, no categories, many features."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.eda import groups, pair_plots, plots, rate_plots
from helpers.eda.statistics import feature_strength, outcome_rates, outliers
from helpers.table import current_table
from tests.eda import test_plots

DRAWN = [
    *test_plots.DRAWN,
    rate_plots.rates_by_group,
    rate_plots.rates_by_band,
    pair_plots.bands_by_group,
    pair_plots.heat_map,
    pair_plots.zero_by_group,
]
LONG = "a_column_whose_name_is_as_long_as_any_that_a_database_exports"
NUMBER, FLAG, YES_NO = (
    {"role": "numeric"},
    {"role": "binary"},
    {"role": "categorical", "values": ["Yes", "No"]},
)
PAID_BACK = {
    "column": "status",
    "outcome": "default",
    "negative": {"value": "good", "label": "paid_back $"},
    "positive": {"value": "bad", "label": "_defaulted $"},
}
FEATURES = {
    "odd": {
        "Monthly Charges ($)": {**NUMBER, "unit": "$ per $", "range": [0, 1e6], "missing": "median"},
        "größe.m2": {**NUMBER, "label": "Größe", "bands": [0, 50, 100], "missing": "mean"},
        "order": {"role": "categorical", "values": ["a", "_b", "$c$"], "missing": "category"},
        "size": YES_NO,
        "mean": FLAG,
        "rate": {**NUMBER, "values": ["0", "1", "2"], "missing": "median"},
        "customers": {**NUMBER, "missing": "median"},
        LONG: {"role": "categorical", "values": [LONG, LONG + "_", *"abcdefghijklmnop"]},
    },
    "only numbers": {f"V{number}": NUMBER for number in range(4)},
    "only flags": {f"flag_{number}": FLAG for number in range(3)},
    "one category": {"region": {"role": "categorical", "values": ["north", "south", "west"]}},
    "many": {
        **{f"{LONG[:50]}_{number}": NUMBER for number in range(30)},
        **{f"$flag_{number}$": FLAG for number in range(20)},
        **{f"answer {number}": YES_NO for number in range(10)},
    },
}


def describe(folder: Path, features: dict) -> Path:
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump({"name": "loans", "target": PAID_BACK, "features": features}), "utf-8")
    return path


@pytest.fixture(params=FEATURES)
def customers(request, tmp_path, monkeypatch) -> pd.DataFrame:
    """Return 400 customers of a table, which is in use; every tenth value that may be missing is."""
    monkeypatch.setenv("CHURN_TABLE", str(describe(tmp_path, FEATURES[request.param])))
    random, described, n = np.random.default_rng(0), current_table(), 400
    risk = random.normal(size=n)
    columns = {}
    for number, (name, feature) in enumerate(described.features.items()):
        if choices := feature.choices:
            values = random.choice(np.array(choices, object), n)
            columns[name] = pd.Series(values, dtype="str" if feature.role == "categorical" else "float64")
        else:
            amounts = np.exp(6 + risk / 2 + random.normal(size=n) * (1 + number / 10))
            columns[name] = pd.Series(np.where(random.random(n) < 0.2 * (number % 3), 0, amounts))
        if feature.missing:
            columns[name] = columns[name].mask(random.random(n) < 0.1)
    table = pd.DataFrame(columns).assign(**{described.target_name: (risk > 0.7).astype(int)})
    table.attrs["source"] = "$a$.csv"
    return table


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", DRAWN)
def test_picture_is_drawn(draw, customers):
    fig = draw(customers)
    fig.canvas.draw()
    for text in fig.findobj(lambda artist: hasattr(artist, "get_text")):
        assert "churn" not in text.get_text().lower() and "nan" not in text.get_text()
    assert max(fig.get_size_inches()) < 25


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", DRAWN)
def test_features_without_any_spread_or_value_are_drawn(draw, customers):
    for number, name in enumerate(current_table().numeric):
        customers[name] = np.nan if number else 3.5
    draw(customers).canvas.draw()


@pytest.mark.filterwarnings("error")
def test_statistics_are_of_the_values_that_are_there(customers):
    strength = feature_strength(customers)
    assert strength["association"].between(0, 1).all()
    assert list(outliers(customers).index) == current_table().numeric
    for name in current_table().feature_names:
        rates = outcome_rates(customers, groups.as_groups(customers[name]))
        assert rates["customers"].sum() == len(customers)
        assert ("missing" in rates.index) == customers[name].isna().any()


def test_title_says_that_not_all_of_many_features_are_drawn(tmp_path, monkeypatch, request):
    monkeypatch.setenv("CHURN_TABLE", str(describe(tmp_path, FEATURES["many"])))
    names = current_table().feature_names
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.integers(0, 2, (200, len(names))), columns=names).assign(status=[0, 1] * 100)
    for name in current_table().categorical:
        table[name] = table[name].map({0: "No", 1: "Yes"})
    fig = plots.correlation_matrix(table)
    assert "(the 20 strongest of 50 features)" in fig.axes[0].get_title(loc="left")
    assert len(fig.axes[0].get_yticklabels()) == 20


def test_constant_number_of_one_region_says_why_there_is_no_picture(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_TABLE", str(describe(tmp_path, FEATURES["one category"])))
    table = pd.DataFrame({"region": ["north", "south"] * 50, "status": [0, 0, 1, 1] * 25})
    assert "No feature is numeric" in plots.distributions(table).axes[0].texts[0].get_text()
    assert "No feature is a number" in rate_plots.rates_by_band(table).axes[0].texts[0].get_text()
