"""Plots of churn rates: dots at the counted rates, and titles that name the right group."""

import pandas as pd
import pytest

from helpers.data.loading import load
from helpers.eda import pair_plots, rate_plots
from helpers.eda.statistics import outcome_rates
from tests.support.paths import REAL_DATA, needs_real_data

DRAWN = [
    rate_plots.rates_by_group,
    rate_plots.rates_by_band,
    pair_plots.bands_by_group,
    pair_plots.heat_map,
    pair_plots.zero_by_group,
]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load()


@pytest.mark.parametrize("draw", DRAWN)
def test_caption_names_the_synthetic_sample(draw, customers):
    assert draw(customers).get_supxlabel() == "bank_churn.csv (synthetic sample)"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("country", ["Spain", "Germany"])
@pytest.mark.parametrize("draw", DRAWN)
def test_small_table_of_one_country_is_drawn_without_warning(draw, country, customers):
    draw(customers[customers["Geography"] == country].head(120)).canvas.draw()


@needs_real_data
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", DRAWN)
def test_real_table_is_drawn(draw):
    draw(load(REAL_DATA)).canvas.draw()


def test_groups_are_drawn_at_their_rates(customers):
    ax = rate_plots.rates_by_group(customers).axes[0]
    products = ax.containers[0].lines[0].get_xdata()
    assert list(products) == pytest.approx(list(outcome_rates(customers, "NumOfProducts")["rate"]))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 13
    assert labels[1] == f"2 products  ({(customers['NumOfProducts'] == 2).sum():,})"


def test_titles_name_what_is_highest(customers):
    table = customers.assign(Exited=(customers["Geography"] == "Spain").astype(int))
    title = rate_plots.rates_by_group(table).get_suptitle()
    assert title == "Geography matters most: 0% (France) to 100% (Spain)"
    old = customers.assign(Exited=(customers["Age"] >= 70).astype(int))
    assert rate_plots.rates_by_band(old).get_suptitle() == "Churn rises to 100% at age 70+"
    inactive_at_fifty = customers["Age"].between(50, 54) & (customers["IsActiveMember"] == 0)
    title = pair_plots.bands_by_group(customers.assign(Exited=inactive_at_fifty * 1)).get_suptitle()
    assert title == "IsActiveMember matters most at age 50-54: a gap of 100 points"


def test_empty_cell_says_no_customers(customers):
    table = customers[~((customers["Geography"] == "Spain") & (customers["NumOfProducts"] == 4))]
    texts = [text.get_text() for text in pair_plots.heat_map(table).axes[0].texts]
    assert texts.count("no customers") == 1 and len(texts) == 12


def test_group_without_zeros_is_named(customers):
    assert pair_plots.zero_by_group(customers).get_suptitle() == "Balance is never 0 for Germany"
    only_spain = customers[customers["Geography"] == "Spain"]
    title = pair_plots.zero_by_group(only_spain).get_suptitle()
    assert title == "Churn where balance is 0, and where it is not"
