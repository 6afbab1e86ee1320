import numpy as np
import pandas as pd
import pytest

from helpers.registry import lead_over_others, plots

FOLDS = pd.DataFrame(
    {"forest": [0.60, 0.62, 0.61], "tree": [0.59, 0.60, 0.60], "knn": [0.4, 0.41, 0.42]}, index=[1, 2, 3]
)


def test_every_challenger_has_its_folds_their_mean_and_the_hold_out():
    holdout = pd.Series({"knn": 0.39, "forest": 0.58, "tree": 0.57})
    fig = plots.challenger_scores(FOLDS, holdout)
    (ax,) = fig.axes
    folds, means, diamonds = (collection.get_offsets() for collection in ax.collections)
    rows = {label.get_text(): at for label, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)}
    for name in FOLDS:
        at = rows[name]
        assert sorted(folds[folds[:, 1] == at, 0]) == sorted(FOLDS[name])
        assert means[means[:, 1] == at, 0] == pytest.approx(FOLDS[name].mean())
        assert diamonds[diamonds[:, 1] == at, 0] == holdout[name]
    assert ax.get_title() == "forest leads over five folds"


def test_leads_are_labeled_with_mean_and_p_value():
    tests = pd.DataFrame({"mean lead": [0.02, 0.2], "p": [0.0312, 0.0004]}, index=["tree", "knn"])
    (ax,) = plots.leads(FOLDS, tests).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "over tree: +0.0200\n(p = 0.031)",
        "over knn: +0.2000\n(p < 0.001)",
    ]
    assert ax.get_title() == "forest leads in 6 of 6 comparisons on the same fold"
    points = ax.collections[0].get_offsets()
    assert sorted(points[points[:, 1] == 0, 0]) == pytest.approx(sorted(FOLDS["forest"] - FOLDS["knn"]))


def test_a_single_challenger_has_no_lead_to_test():
    (ax,) = plots.leads(FOLDS[["forest"]], lead_over_others(FOLDS[["forest"]])).axes
    assert ax.get_title() == "forest is the only challenger: no lead to test"


def test_every_challenger_has_a_roc_curve():
    y = pd.Series([0, 0, 1, 1])
    fig = plots.roc_curves({"a": np.array([0.1, 0.2, 0.8, 0.9]), "b": np.array([0.9, 0.2, 0.8, 0.1])}, y)
    assert [text.get_text() for text in fig.axes[0].get_legend().get_texts()] == ["a", "b"]
