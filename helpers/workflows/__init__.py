"""Unattended work: run the notebooks headlessly, and retrain on new customers."""

from helpers.workflows.notebooks import (
    NotebookStep,
    check_steps,
    notebook_steps,
    run_notebooks,
    summarize,
    training_steps,
)
from helpers.workflows.retrain_loop import process_all, process_forever
from helpers.workflows.retraining import process_batch, retrain_if_needed
from helpers.workflows.retraining_report import RetrainingOutcome

__all__ = [
    "NotebookStep",
    "RetrainingOutcome",
    "check_steps",
    "notebook_steps",
    "process_all",
    "process_batch",
    "process_forever",
    "retrain_if_needed",
    "run_notebooks",
    "summarize",
    "training_steps",
]
