"""Training: algorithms, evaluation metrics, costs of wrong decisions, decision threshold, leakage."""

from helpers.training.algorithms import (
    CLASSIFY,
    PREPARE,
    add_step_prefix,
    algorithm,
    algorithms,
    combination_name,
    make_pipeline,
    strip_step_prefix,
    use_algorithms,
)
from helpers.training.costs import COST_NAMES, decision_costs
from helpers.training.entries import Algorithm, without_probabilities
from helpers.training.grids import make_grid
from helpers.training.leakage import leakage_effect
from helpers.training.metrics import evaluate
from helpers.training.own_algorithms import chosen_algorithms, file_with, own_types
from helpers.training.settings import ModelSettings, TrainSettings
from helpers.training.small_tables import check_table_size
from helpers.training.threshold import ABOVE_ALL_SCORES, Threshold, choose_threshold

__all__ = [
    "ABOVE_ALL_SCORES",
    "CLASSIFY",
    "COST_NAMES",
    "PREPARE",
    "Algorithm",
    "ModelSettings",
    "Threshold",
    "TrainSettings",
    "add_step_prefix",
    "algorithm",
    "algorithms",
    "check_table_size",
    "choose_threshold",
    "chosen_algorithms",
    "combination_name",
    "decision_costs",
    "evaluate",
    "file_with",
    "leakage_effect",
    "make_grid",
    "make_pipeline",
    "own_types",
    "strip_step_prefix",
    "use_algorithms",
    "without_probabilities",
]
