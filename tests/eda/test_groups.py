"""Bands and groups of a feature, and which features a picture shows."""

import numpy as np
import pandas as pd
import pytest

from helpers.data.loading import load
from helpers.eda import groups
from helpers.table import Feature


def test_bands_are_those_of_the_description():
    ages = pd.Series([18, 24, 25, 69, 70, 100], name="Age")
    assert list(groups.bands(ages)) == ["18-24", "18-24", "25-29", "65-69", "70+", "70+"]
    assert list(groups.bands(ages, join=2)) == ["18-29"] * 3 + ["60-69", "70+", "70+"]


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        ({"role": "binary", "bands": [0, 1]}, "bands are for a numeric feature"),
        ({"role": "numeric", "bands": [20, 10]}, "must ascend"),
        ({"role": "numeric", "bands": [0, float("nan")]}, "finite"),
    ],
)
def test_bands_of_a_description_are_checked(feature, problem):
    with pytest.raises(ValueError, match=problem):
        Feature(**feature)


def test_value_below_the_first_band_has_one_of_its_own():
    assert list(groups.bands(pd.Series([16, 18, np.nan], name="Age")).astype(object)[:2]) == ["<18", "18-24"]


@pytest.mark.parametrize(
    ("values", "first", "last"),
    [
        (np.linspace(0, 99_000, 1000), "0-10", "85+"),  # in thousands
        (np.arange(300, 850), "300-349", "750+"),
        (np.linspace(0, 1, 500), "0-0.1", "0.85+"),
        (np.linspace(-80, 80, 500), "-80 to -60", "60+"),
        ([0.0] * 95 + [1, 2, 3, 5, 80], "0-9", "70+"),  # whole numbers, most of them 0
        ([7.0] * 5, "7+", "7+"),
    ],
)
def test_bands_without_a_description_have_round_edges(values, first, last):
    bands = groups.bands(pd.Series(values, name="Balance"))
    assert bands.notna().all()
    assert (bands.cat.categories[0], bands.cat.categories[-1]) == (first, last)
    assert len(bands.cat.categories) <= 9


@pytest.mark.parametrize(
    ("largest", "divisor", "unit"),
    [(900, 1, "euros"), (2e4, 1e3, "thousand euros"), (5e7, 1e6, "million euros")],
)
def test_large_numbers_are_in_thousands(largest, divisor, unit):
    assert groups.scale("Balance", pd.Series([largest, -largest, None])) == (divisor, unit)


def test_groups_are_in_the_descriptions_order_and_missing_is_one():
    values = pd.Series(["Spain", None, "France", "Spain"], name="Geography")
    named = groups.as_groups(values)
    assert list(named) == ["Spain", "missing", "France", "Spain"]
    assert list(named.cat.remove_unused_categories().cat.categories) == ["France", "Spain", "missing"]


def test_rare_groups_are_one():
    values = pd.Series(range(30), name="Tenure").repeat(range(1, 31))
    counts = groups.as_groups(values, most=10).value_counts()
    assert (counts > 0).sum() == 10 and counts["other"] == sum(range(1, 22))


def test_the_banks_pictures_are_of_its_strongest_features():
    strongest = groups.strongest_features(load())
    assert strongest.few_valued[:2] == ["NumOfProducts", "Geography"]
    assert strongest.many_valued[0] == "Age"
    assert strongest.two_valued[0] == "IsActiveMember"
    assert strongest.often_zero == ["Balance"]
    assert strongest.categorical[0] == "Geography"
