"""What a user would run instead.

``bare`` is GridSearchCV alone, nothing tracked. ``fluent`` is GridSearchCV, then one MLflow run per fold x
combination with one call per score, and the model. ``autolog`` is GridSearchCV under
``mlflow.sklearn.autolog(max_tuning_runs=None)``.
"""

import time
from pathlib import Path

import mlflow
from sklearn.model_selection import GridSearchCV

from helpers.config import FOLDS, SCORES, SELECT_BY, folds
from helpers.data import Split
from helpers.training import add_step_prefix, make_pipeline

# For the rate of tracking alone.
PARAMS = {"max_depth": 9, "min_samples_leaf": 5, "class_weight": "balanced"}
RESULT = {f"{side}_{score}": 0.5 for side in ("train", "val") for score in SCORES}


def open_store() -> None:
    """Make the store and the experiment, as MLflow makes them by itself."""
    mlflow.set_experiment("peers")


def bare(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    return _grid_search_cv(model, grid).fit(part.X_train, part.y_train).best_score_


def fluent(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    found = _grid_search_cv(model, grid).fit(part.X_train, part.y_train)
    results = found.cv_results_
    with mlflow.start_run(run_name=model):
        for fold in range(FOLDS):
            with mlflow.start_run(run_name=f"fold-{fold + 1}", nested=True):
                for index, params in enumerate(results["params"]):
                    scores = {
                        f"{side}_{score}": results[f"split{fold}_{key}_{score}"][index]
                        for side, key in (("train", "train"), ("val", "test"))
                        for score in SCORES
                    }
                    _log_one_by_one(index, params, scores)
        mlflow.log_params(found.best_params_)
        mlflow.log_metric("cv_f1", found.best_score_)
        mlflow.sklearn.log_model(
            found.best_estimator_,
            name="model",
            input_example=part.X_train.head(3),
            serialization_format="cloudpickle",
        )
    return found.best_score_


def autolog(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    mlflow.sklearn.autolog(max_tuning_runs=None)
    with mlflow.start_run(run_name=model):
        return _grid_search_cv(model, grid).fit(part.X_train, part.y_train).best_score_


def leaf_rate(part: Split, leaves: int) -> float:
    """Write nested runs, nothing else going on; return how many a second."""
    with mlflow.start_run():
        began = time.perf_counter()
        for index in range(leaves):
            _log_one_by_one(index, PARAMS, RESULT)
        return leaves / (time.perf_counter() - began)


def _log_one_by_one(index: int, params: dict, scores: dict) -> None:
    with mlflow.start_run(run_name=f"combination-{index}", nested=True):
        mlflow.log_params(params)
        for key, value in scores.items():
            mlflow.log_metric(key, value)


def _grid_search_cv(model: str, grid: dict) -> GridSearchCV:
    return GridSearchCV(
        make_pipeline(model), add_step_prefix(grid), scoring=SCORES, refit=SELECT_BY, cv=folds(),
        return_train_score=True, n_jobs=-1,
    )  # fmt: skip
