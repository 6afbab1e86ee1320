"""Scored files, and what scores mean: reasons, expected churn, expected costs."""

from helpers.scoring.batch import (
    ASIDE,
    BAD_ROWS,
    REFUSE,
    ScoredFile,
    score_customers,
    score_file,
)
from helpers.scoring.explanations import shapley_values
from helpers.scoring.forecast import expected_churn_by_segment, expected_costs, fit_calibration, segments
from helpers.scoring.scores_csv import read_scores
from helpers.scoring.settings import ScoreSettings

__all__ = [
    "ASIDE",
    "BAD_ROWS",
    "REFUSE",
    "ScoreSettings",
    "ScoredFile",
    "expected_churn_by_segment",
    "expected_costs",
    "fit_calibration",
    "read_scores",
    "score_customers",
    "score_file",
    "segments",
    "shapley_values",
]
