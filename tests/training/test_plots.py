import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid

from helpers.training.algorithms import ALGORITHMS, add_step_prefix
from helpers.training.plots import cost_curve, grid_scores, training_plots
from helpers.training.threshold import choose_threshold


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


def test_grid_scores_show_the_best_over_a_fifth_hyperparameter():
    grid = {"a": [1, 2, 3, 4, 5, 6], "b": [1, 2, 3, 4], "c": [1, 2, 3], "d": [1, 2], "e": [1, 2]}
    figure = grid_scores(results(grid))
    assert f"{0.6:.3f}" in figure.get_suptitle()


def test_every_plot_of_a_training_is_figures():
    X, y = make_classification(300, random_state=0)
    model = LogisticRegression().fit(X, y)
    figures = training_plots(results({"C": [1, 2]}), 1, model, pd.DataFrame(X), pd.Series(y))
    assert {type(figure) for figure in figures.values()} == {Figure}
    counts = [int(text.get_text().split()[0]) for text in figures["confusion"].axes[0].texts]
    assert sum(counts) == 300


def test_cost_curve_passes_through_the_chosen_point():
    y, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    threshold = choose_threshold(y, probability)
    line = cost_curve(y, probability, threshold).axes[0].lines[0]
    assert (threshold.value, threshold.cost) in set(zip(*line.get_data(), strict=True))


def test_cost_curve_draws_a_threshold_above_all_scores():
    y, probability = np.array([0, 0, 0, 1]), np.array([0.9, 0.5, 0.4, 0.2])
    figure = cost_curve(y, probability, choose_threshold(y, probability, missed_cost=1, wasted_cost=5))
    figure.canvas.draw()
    assert figure.axes[0].get_title() == "The model saves 0.000 per customer at a threshold of 1.00"
