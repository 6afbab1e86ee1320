"""GridSearchCV makes its table from precomputed scores; scores are read by dataset and fold."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from helpers.search import fold_scores
from helpers.search.cv_results import FoldScores, fit_grid_search_cv, mean_scores
from helpers.training.algorithms import make_pipeline
from tests.support.searches import FOLDS

GRID = [{"classify__max_depth": [2, 5, 3]}, {"classify__min_samples_leaf": [4]}]


@pytest.fixture(scope="module")
def expected(sample) -> dict:
    """GridSearchCV's table, with two scores."""
    settings = {"scoring": ["f1", "roc_auc"], "refit": "f1", "cv": FOLDS, "return_train_score": True}
    search = GridSearchCV(make_pipeline("tree"), GRID, **settings)
    return search.fit(sample.X_train, sample.y_train).cv_results_


def test_a_combinations_scores_are_read_by_dataset_and_fold(expected):
    scores = fold_scores(expected, 1)
    assert len(scores) == 3
    assert list(scores[0]) == ["train_f1", "train_roc_auc", "val_f1", "val_roc_auc"]
    assert scores[2]["val_f1"] == expected["split2_test_f1"][1]
    assert scores[0]["train_roc_auc"] == expected["split0_train_roc_auc"][1]
    means = mean_scores(expected, 1)
    assert list(means)[:3] == ["train_f1_mean", "train_f1_std", "train_roc_auc_mean"]
    assert means["val_roc_auc_std"] == expected["std_test_roc_auc"][1]


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_precomputed_scores_give_grid_search_cvs_table(expected, backend):
    scores = [
        [
            FoldScores(
                train={name: fold[f"train_{name}"] for name in ("f1", "roc_auc")},
                val={name: fold[f"val_{name}"] for name in ("f1", "roc_auc")},
                fit_time=1.0 + number,
                score_time=0.5,
            )
            for number, fold in enumerate(fold_scores(expected, index))
        ]
        for index in range(4)
    ]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        search = fit_grid_search_cv(GRID, scores, "roc_auc")
    assert list(search.cv_results_) == list(expected)
    for key, values in expected.items():
        if not key.endswith("_time"):
            assert repr(search.cv_results_[key]) == repr(values)
    assert search.best_index_ == expected["rank_test_roc_auc"].argmin()
    assert search.cv_results_["mean_fit_time"].tolist() == [2.0] * 4
    np.testing.assert_allclose(search.cv_results_["std_fit_time"], (2 / 3) ** 0.5)
    assert search.cv_results_["std_score_time"].tolist() == [0.0] * 4
