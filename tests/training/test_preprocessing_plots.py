"""Plots of the feature pipeline and of leakage: every column is drawn, with its own value."""

import pandas as pd
import pytest

from helpers.training import PREPARE, preprocessing_plots
from tests.support.bank import FEATURES


def test_flow_names_every_input_and_output(fitted):
    prepare = fitted["knn"].named_steps[PREPARE]
    fig = preprocessing_plots.pipeline_flow(prepare)
    texts = [text.get_text() for text in fig.axes[0].texts]
    outputs = [name.split("__")[1] for name in prepare.get_feature_names_out()]
    assert set(FEATURES) | set(outputs) <= set(texts)
    assert fig.axes[0].get_title() == "10 columns in, 12 numbers per customer out"


def test_distance_shares_sum_to_one(sample, fitted):
    fig = preprocessing_plots.distance_shares(sample.X_train, fitted["knn"].named_steps[PREPARE])
    for ax in fig.axes:
        assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(1)
    assert "Balance and EstimatedSalary make up 100%" in fig.get_suptitle()


def test_leakage_is_drawn_from_the_hold_out_to_the_validation_score():
    table = pd.DataFrame(
        {"cross-validation": [0.5, 0.9], "hold-out": [0.55, 0.6]}, index=["inside the folds", "leaking"]
    )
    ax = preprocessing_plots.leakage(table).axes[0]
    segments = [[point[0] for point in segment] for segment in ax.collections[0].get_segments()]
    assert segments == [[0.55, 0.5], [0.6, 0.9]]
    assert ax.get_title(loc="right").startswith('"leaking": 0.90 in cross-validation')
