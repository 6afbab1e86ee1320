import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid

from helpers.training.algorithms import ALGORITHMS, add_step_prefix
from helpers.training.plots import grid_scores, train_validation_gap, training_figures


def results(grid: dict) -> dict:
    params = list(ParameterGrid(add_step_prefix(grid)))
    scores = np.linspace(0.4, 0.6, len(params))
    return {
        "params": params,
        "mean_test_f1": scores,
        "std_test_f1": np.full(len(params), 0.01),
        "mean_train_f1": scores + 0.05,
    }


@pytest.mark.parametrize(
    "grid", [*(a.grid for a in ALGORITHMS.values()), {"C": [1.0]}, {"a": [1], "b": [2, None]}]
)
def test_grid_scores_draws_any_grid(grid):
    figure = grid_scores(results(grid))
    points = sum(len(line.get_xdata()) for ax in figure.axes for line in ax.lines)
    assert points >= max(len(values) for values in grid.values())
    figure.canvas.draw()


def test_five_hyperparameters_show_the_best_over_the_fifth():
    grid = {"a": [1, 2, 3, 4, 5, 6], "b": [1, 2, 3, 4], "c": [1, 2, 3], "d": [1, 2], "e": [1, 2]}
    figure = grid_scores(results(grid))
    assert f"{0.6:.3f}" in figure.get_suptitle()


def test_gap_is_named_in_the_title():
    figure = train_validation_gap(results({"C": [1, 2, 3]}), best=2)
    assert "0.050" in figure.axes[0].get_title()


def test_every_training_figure_draws():
    X, y = make_classification(300, random_state=0)
    model = LogisticRegression().fit(X, y)
    figures = training_figures(results({"C": [1, 2]}), 1, model, pd.DataFrame(X), pd.Series(y))
    assert {type(figure) for figure in figures.values()} == {Figure}
    counts = [int(text.get_text().split()[0]) for text in figures["confusion"].axes[0].texts]
    assert sum(counts) == 300
