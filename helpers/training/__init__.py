"""Training: algorithms, evaluation metrics, costs of wrong decisions, decision threshold, leakage."""

from helpers.training.algorithms import (
    ALGORITHMS,
    CLASSIFY,
    PREPARE,
    add_step_prefix,
    algorithm,
    combination_name,
    make_pipeline,
    strip_step_prefix,
)
from helpers.training.costs import COST_NAMES, decision_costs
from helpers.training.grids import make_grid
from helpers.training.leakage import leakage_effect
from helpers.training.metrics import evaluate
from helpers.training.settings import TrainSettings
from helpers.training.small_tables import check_table_size
from helpers.training.threshold import ABOVE_ALL_SCORES, Threshold, choose_threshold

__all__ = [
    "ABOVE_ALL_SCORES",
    "ALGORITHMS",
    "CLASSIFY",
    "COST_NAMES",
    "PREPARE",
    "Threshold",
    "TrainSettings",
    "add_step_prefix",
    "algorithm",
    "check_table_size",
    "choose_threshold",
    "combination_name",
    "decision_costs",
    "evaluate",
    "leakage_effect",
    "make_grid",
    "make_pipeline",
    "strip_step_prefix",
]
