"""What notebook 03 does: search, track every fold x combination, refit, log the model."""

import time
from pathlib import Path

from benchmarks.baselines import PARAMS, RESULT
from helpers.config import FOLDS, SCORES, SELECT_BY, folds
from helpers.data import Split, data_path
from helpers.search import grid_search
from helpers.tracking import TrainingRun, connect, log_model
from helpers.training import add_step_prefix, make_pipeline


def create_store() -> None:
    """Create the store and the experiment."""
    connect()


def train(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    with TrainingRun(connect(), model, part.X_train, part.y_train, folds(), source, grid) as training:
        result = grid_search(
            make_pipeline(model), add_step_prefix(grid), part.X_train, part.y_train,
            cv=folds(), scoring=SCORES, refit=SELECT_BY, n_jobs=-1, on_result=training.log,
        )  # fmt: skip
        training.finish_search(result)
        log_model(training.model_run_id, result.best_estimator_, part.X_train)
    return result.best_score_


def child_run_rate(part: Split, n_runs: int) -> float:
    """Write child runs and nothing else; return how many per second."""
    with TrainingRun(connect(), "tree", part.X_train, part.y_train, folds(), data_path()) as training:
        start = time.perf_counter()
        for index in range(n_runs):
            training.log(index % FOLDS, index, PARAMS, RESULT)
        training.drain()
        return n_runs / (time.perf_counter() - start)
