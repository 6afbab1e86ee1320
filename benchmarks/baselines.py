"""What a user would run instead of this project.

``gridsearchcv`` is GridSearchCV alone, nothing tracked. ``fluent`` is GridSearchCV, then one MLflow run per
fold x combination with one call per score, and the model. ``autolog`` is GridSearchCV under
``mlflow.sklearn.autolog(max_tuning_runs=None)``.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import mlflow
from sklearn.model_selection import GridSearchCV

from helpers.config import SCORES, SELECT_BY, folds
from helpers.data import Split
from helpers.search import fold_scores
from helpers.training import add_step_prefix, make_pipeline

# For the rate of tracking alone.
PARAMS = {"max_depth": 9, "min_samples_leaf": 5, "class_weight": "balanced"}
RESULT = {f"{dataset}_{score}": 0.5 for dataset in ("train", "val") for score in SCORES}


def create_store() -> None:
    """Create the store and the experiment with MLflow's defaults."""
    mlflow.set_experiment("baselines")


def gridsearchcv(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    return _grid_search_cv(model, grid).fit(part.X_train, part.y_train).best_score_


def fluent(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    search = _grid_search_cv(model, grid).fit(part.X_train, part.y_train)
    params = search.cv_results_["params"]
    scores = [fold_scores(search.cv_results_, index) for index in range(len(params))]
    with mlflow.start_run(run_name=model):
        for fold in range(search.n_splits_):
            with mlflow.start_run(run_name=f"fold-{fold + 1}", nested=True):
                for index, combination in enumerate(params):
                    _log_one_by_one(index, combination, scores[index][fold])
        mlflow.log_params(search.best_params_)
        mlflow.log_metric("cv_f1", search.best_score_)
        mlflow.sklearn.log_model(
            search.best_estimator_,
            name="model",
            input_example=part.X_train.head(3),
            serialization_format="cloudpickle",
        )
    return search.best_score_


def autolog(model: str, grid: dict, part: Split, source: Path) -> float:
    """Return the best mean validation F1."""
    mlflow.sklearn.autolog(max_tuning_runs=None)
    with mlflow.start_run(run_name=model):
        return _grid_search_cv(model, grid).fit(part.X_train, part.y_train).best_score_


def child_run_rate(part: Split, n_runs: int) -> float:
    """Write nested runs and nothing else; return how many per second."""
    with mlflow.start_run():
        start = time.perf_counter()
        for index in range(n_runs):
            _log_one_by_one(index, PARAMS, RESULT)
        return n_runs / (time.perf_counter() - start)


def _log_one_by_one(index: int, params: Mapping, scores: Mapping[str, float]) -> None:
    with mlflow.start_run(run_name=f"combination-{index}", nested=True):
        mlflow.log_params(params)
        for key, value in scores.items():
            mlflow.log_metric(key, value)


def _grid_search_cv(model: str, grid: dict) -> GridSearchCV:
    return GridSearchCV(
        make_pipeline(model), add_step_prefix(grid), scoring=SCORES, refit=SELECT_BY, cv=folds(),
        return_train_score=True, n_jobs=-1,
    )  # fmt: skip
