import matplotlib.pyplot as plt
import pandas as pd
import pytest

from helpers.plotting import caption, drawable, figure, group_label, in_sentence, panels, value_label


@pytest.mark.parametrize(
    ("feature", "value", "label"),
    [
        ("IsActiveMember", 1.0, "active"),
        ("NumOfProducts", 1, "1 product"),
        ("NumOfProducts", 3.0, "3 products"),
        ("Geography", "Germany", "Germany"),
        ("Geography", float("nan"), "missing"),
    ],
)
def test_coded_values_are_shown_in_words(feature, value, label):
    assert value_label(feature, value) == label


def test_names_are_drawn_as_they_are_but_short():
    assert drawable("$a$") == r"\$a\$"
    assert drawable("_a") == " _a"
    assert drawable("a" * 60) == "a" * 24 + "…" + "a" * 11


@pytest.mark.parametrize(
    ("label", "words"), [("Age", "age"), ("NumOfProducts", "NumOfProducts"), ("V1", "V1"), ("Größe", "größe")]
)
def test_only_a_plain_word_loses_its_capital_in_a_sentence(label, words):
    assert in_sentence(label) == words


@pytest.mark.parametrize(
    ("feature", "value", "label"),
    [
        ("NumOfProducts", 2.0, "2 products"),
        ("Geography", "Spain", "Spain"),
        ("Geography", "missing", "Geography: missing"),
        ("Tenure", 3.0, "Tenure: 3"),
    ],
)
def test_group_is_named_with_its_feature_where_its_value_alone_is_unclear(feature, value, label):
    assert group_label(feature, value) == label


def test_pyplot_keeps_no_figure_open():
    figure()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("rows", "columns", "shape"), [(1, 3, (3,)), (2, 1, (2,)), (2, 3, (2, 3))])
def test_panels_come_as_an_array(rows, columns, shape):
    assert panels(rows, columns)[1].shape == shape


def test_caption_is_left_out_for_a_table_without_source():
    fig, _ = figure()
    assert caption(fig, pd.DataFrame()).get_supxlabel() == ""
