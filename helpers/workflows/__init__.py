"""What runs by itself: the notebooks headlessly, and retraining."""

from helpers.workflows.notebooks import NotebookStep, notebook_steps, run_notebooks, summarize, training_steps
from helpers.workflows.retrain_loop import process_all, process_forever

__all__ = [
    "NotebookStep",
    "notebook_steps",
    "process_all",
    "process_forever",
    "run_notebooks",
    "summarize",
    "training_steps",
]
