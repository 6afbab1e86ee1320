"""Rates with intervals, associations and outliers, compared with other libraries and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from scipy.stats.contingency import association

from helpers.data.loading import load
from helpers.eda import statistics


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load()


@pytest.mark.parametrize(("churned", "n"), [(0, 7), (7, 7), (1, 3), (2037, 10_000)])
def test_interval_equals_scipys_wilson_interval(churned, n):
    expected = binomtest(churned, n).proportion_ci(0.95, method="wilson")
    low, high = statistics.wilson_interval([churned], [n])
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert low[0] <= churned / n <= high[0]


def test_no_columns_make_all_customers_one_group(customers):
    assert list(statistics.outcome_rates(customers, [])["customers"]) == [len(customers)]


def test_outcome_rates_are_counted_by_group(customers):
    rates = statistics.outcome_rates(customers, ["Geography", "IsActiveMember"])
    group = customers[(customers["Geography"] == "Spain") & (customers["IsActiveMember"] == 1)]
    row = rates.loc[("Spain", 1)]
    assert row["customers"] == len(group)
    assert row["rate"] == group["Exited"].mean()
    assert rates["customers"].sum() == len(customers)


def test_association_detects_a_hump_that_correlation_misses():
    age = np.tile(np.arange(20, 80), 50)
    table = load().head(len(age)).assign(Age=age.astype(float), Exited=((age >= 40) & (age < 60)).astype(int))
    strength = statistics.feature_strength(table)
    assert strength.index[0] == "Age"
    assert strength.loc["Age", "association"] > 0.8
    assert strength.loc["Age", "correlation"] < 0.05


def test_strength_is_cramers_v_and_pearson_correlation(customers):
    strength = statistics.feature_strength(customers)
    counts = pd.crosstab(customers["Geography"], customers["Exited"]).to_numpy()
    assert strength.loc["Geography", "association"] == pytest.approx(association(counts, method="cramer"))
    assert np.isnan(strength.loc["Geography", "correlation"])
    expected = abs(np.corrcoef(customers["Gender"] == "Male", customers["Exited"])[0, 1])
    assert strength.loc["Gender", "correlation"] == pytest.approx(expected)
    assert strength.loc["Gender", "association"] == pytest.approx(expected)  # two by two: the same


def test_outliers_are_beyond_tukeys_fences():
    table = load().head(100).assign(Age=[50.0] * 25 + [40.0] * 50 + [30.0] * 24 + [90.0], Exited=0)
    table.loc[99, "Exited"] = 1
    row = statistics.outliers(table).loc["Age"]
    first, third = table["Age"].quantile([0.25, 0.75])
    assert (row["low"], row["high"]) == (first - 1.5 * (third - first), third + 1.5 * (third - first))
    assert (row["customers"], row["rate"]) == (1, 1.0)
