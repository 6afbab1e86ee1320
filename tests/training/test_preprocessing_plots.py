"""Pictures of the split and the pipeline: every column and part is there, at its own figure."""

import pandas as pd
import pytest

from helpers.config import FEATURES
from helpers.training import PREPARE, preprocessing_plots


def test_the_split_shows_training_folds_and_hold_out(sample):
    fig = preprocessing_plots.split_rates(sample)
    labels = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert [label.split("\n")[0] for label in labels] == [
        "training",
        *(f"fold {i}" for i in range(1, 6)),
        "hold-out",
    ]
    assert labels[-1].endswith(f"n = {len(sample.y_test):,}")
    assert fig.axes[0].texts[-1].get_text() == f"{sample.y_test.mean():.2%}"
    assert "synthetic" in fig.get_supxlabel()


def test_the_flow_names_every_column_in_and_out(fitted):
    prepare = fitted["knn"].named_steps[PREPARE]
    fig = preprocessing_plots.pipeline_flow(prepare)
    texts = [text.get_text() for text in fig.axes[0].texts]
    outputs = [name.split("__")[1] for name in prepare.get_feature_names_out()]
    assert set(FEATURES) | set(outputs) <= set(texts)
    assert fig.axes[0].get_title() == "10 columns in, 12 numbers per customer out"


def test_the_shares_of_the_distance_sum_to_one(sample, fitted):
    fig = preprocessing_plots.distance_shares(sample.X_train, fitted["knn"].named_steps[PREPARE])
    for ax in fig.axes:
        assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(1)
    assert "Balance and EstimatedSalary are 100%" in fig.get_suptitle()


def test_the_leak_is_named_in_the_title():
    table = pd.DataFrame({"claimed": [0.5, 0.9], "kept": [0.5, 0.6]}, index=["right", "wrong"])
    assert preprocessing_plots.leakage(table).axes[0].get_title() == '"wrong" claims 0.90, true is 0.60'
