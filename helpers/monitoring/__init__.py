"""New customers compared with the training data: drift, performance, and a decision."""

from helpers.monitoring.monitor import (
    MIN_CUSTOMERS,
    MIN_PER_OUTCOME,
    RETRAIN,
    TOLERATED,
    MonitoringResult,
    baseline_metrics,
    enough_outcomes,
    evaluate_batch,
    run_monitoring,
)

__all__ = [
    "MIN_CUSTOMERS",
    "MIN_PER_OUTCOME",
    "RETRAIN",
    "TOLERATED",
    "MonitoringResult",
    "baseline_metrics",
    "enough_outcomes",
    "evaluate_batch",
    "run_monitoring",
]
