import matplotlib.pyplot as plt
import pandas as pd
import pytest

from helpers.plotting import caption, figure, panels, value_label


@pytest.mark.parametrize(
    ("feature", "value", "label"),
    [
        ("IsActiveMember", 1.0, "active"),
        ("NumOfProducts", 1, "1 product"),
        ("NumOfProducts", 3.0, "3 products"),
        ("Geography", "Germany", "Germany"),
    ],
)
def test_coded_values_are_shown_in_words(feature, value, label):
    assert value_label(feature, value) == label


def test_pyplot_keeps_no_figure_open():
    figure()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("rows", "columns", "shape"), [(1, 3, (3,)), (2, 1, (2,)), (2, 3, (2, 3))])
def test_panels_come_as_an_array(rows, columns, shape):
    assert panels(rows, columns)[1].shape == shape


def test_caption_is_left_out_for_a_table_without_source():
    fig, _ = figure()
    assert caption(fig, pd.DataFrame()).get_supxlabel() == ""
