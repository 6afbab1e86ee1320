"""What is trained and how it is judged: algorithms, metrics, costs of mistakes, decision threshold."""

from helpers.training.algorithms import (
    ALGORITHMS,
    CLASSIFY,
    PREPARE,
    add_step_prefix,
    algorithm,
    combination_name,
    make_grid,
    make_pipeline,
    strip_step_prefix,
)
from helpers.training.leakage import leakage_effect
from helpers.training.metrics import COST_NAMES, decision_costs, evaluate
from helpers.training.threshold import check_costs, choose_threshold, cost_curve

__all__ = [
    "ALGORITHMS",
    "CLASSIFY",
    "COST_NAMES",
    "PREPARE",
    "add_step_prefix",
    "algorithm",
    "check_costs",
    "choose_threshold",
    "combination_name",
    "cost_curve",
    "decision_costs",
    "evaluate",
    "leakage_effect",
    "make_grid",
    "make_pipeline",
    "strip_step_prefix",
]
