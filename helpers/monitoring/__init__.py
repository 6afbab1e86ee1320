"""New customers compared with the training data: drift, performance, and a decision."""

from helpers.monitoring.evaluation import (
    MIN_CUSTOMERS,
    MIN_PER_OUTCOME,
    TOLERATED,
    enough_outcomes,
    evaluate_batch,
)
from helpers.monitoring.findings import KEEP, LIMITS, RETRAIN, WATCH, Finding
from helpers.monitoring.monitor import MonitoringResult, baseline_metrics, run_monitoring
from helpers.monitoring.report import Report
from helpers.monitoring.settings import MonitorSettings
from helpers.monitoring.simulation import simulate_batch

__all__ = [
    "KEEP",
    "LIMITS",
    "MIN_CUSTOMERS",
    "MIN_PER_OUTCOME",
    "RETRAIN",
    "TOLERATED",
    "WATCH",
    "Finding",
    "MonitorSettings",
    "MonitoringResult",
    "Report",
    "baseline_metrics",
    "enough_outcomes",
    "evaluate_batch",
    "run_monitoring",
    "simulate_batch",
]
