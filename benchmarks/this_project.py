"""What notebook 03 does: search, track every fold x combination, refit, log the model."""

import time
from pathlib import Path

from benchmarks.baselines import PARAMS, RESULT
from helpers.config import SCORES, SELECT_BY, folds
from helpers.data import Split, data_path
from helpers.search import grid_search
from helpers.tracking import TrainingRun, connect, log_model
from helpers.training import add_step_prefix, make_pipeline


def open_store() -> None:
    """Make the store and the experiment."""
    connect()


def ours(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    with TrainingRun(connect(), model, part.X_train, part.y_train, folds(), source, grid) as tree:
        found = grid_search(
            make_pipeline(model), add_step_prefix(grid), part.X_train, part.y_train,
            cv=folds(), scoring=SCORES, refit=SELECT_BY, n_jobs=-1, on_result=tree.log,
        )  # fmt: skip
        tree.finish_search(found)
        log_model(tree.model_run_id, found.best_estimator_, part.X_train)
    return found.best_score_


def leaf_rate(part: Split, leaves: int) -> float:
    """Write leaves of a tree, nothing else going on; return how many a second."""
    with TrainingRun(connect(), "tree", part.X_train, part.y_train, folds(), data_path()) as tree:
        began = time.perf_counter()
        for index in range(leaves):
            tree.log(index % 5, index, PARAMS, RESULT)
        tree.drain()
        return leaves / (time.perf_counter() - began)
