"""Scored files, and what scores mean: reasons, expected churn, expected costs."""

from helpers.scoring.batch import ScoredFile, score_customers, score_file
from helpers.scoring.explanations import shapley_values
from helpers.scoring.forecast import expected_churn_by_segment, expected_costs, fit_calibration

__all__ = [
    "ScoredFile",
    "expected_churn_by_segment",
    "expected_costs",
    "fit_calibration",
    "score_customers",
    "score_file",
    "shapley_values",
]
