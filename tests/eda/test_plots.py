"""Plots of features: marks at the measured values, also for small tables and another file."""

import pandas as pd
import pytest

from helpers.data.loading import load
from helpers.data.synthetic import make_customers
from helpers.data.validation import validate
from helpers.eda import plots
from helpers.eda.statistics import feature_strength
from tests.support.paths import REAL_DATA, needs_real_data

DRAWN = [
    plots.target_balance,
    plots.distributions,
    plots.correlation_matrix,
    plots.strength,
    plots.outlier_boxes,
]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load()


@pytest.mark.parametrize("draw", DRAWN)
def test_caption_names_the_synthetic_sample(draw, customers):
    fig = draw(customers)
    assert fig.get_supxlabel() == "bank_churn.csv (synthetic sample)"
    assert fig.get_suptitle() or fig.axes[0].get_title() or fig.axes[0].get_title(loc="left")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", DRAWN)
def test_small_table_of_one_country_is_drawn_without_warning(draw, customers):
    small = customers[customers["Geography"] == "Spain"].head(120)
    draw(small).canvas.draw()


@needs_real_data
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", DRAWN)
def test_real_table_is_drawn(draw):
    fig = draw(load(REAL_DATA))
    fig.canvas.draw()
    assert fig.get_supxlabel() == REAL_DATA.name


def test_bars_are_as_wide_as_the_counts(customers):
    retained, churned = plots.target_balance(customers).axes[0].patches
    assert retained.get_width() == (customers["Exited"] == 0).sum()
    assert churned.get_width() == customers["Exited"].sum()


def test_each_distribution_sums_to_one_per_group(customers):
    for ax in plots.distributions(customers).axes:
        filled = sum(bar.get_height() for bar in ax.patches if hasattr(bar, "get_height"))
        assert filled == pytest.approx(2)


def test_strength_dots_are_at_the_measured_values(customers):
    any_shape = plots.strength(customers).axes[0].collections[1].get_offsets()[:, 0]
    assert list(any_shape[::-1]) == pytest.approx(list(feature_strength(customers)["association"]))


def test_correlations_show_no_minus_zero():
    fig = plots.correlation_matrix(validate(make_customers(3000, seed=2)))
    texts = [text.get_text() for text in fig.axes[0].texts]
    assert len(texts) == 36 and "-0.00" not in texts
