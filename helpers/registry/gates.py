"""The gates that a challenger must pass before promotion. A gate that cannot be evaluated raises."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from helpers.data import MIN_PER_CLASS
from helpers.errors import OtherTable, UnverifiedModel
from helpers.registry.training_runs import training_run
from helpers.registry.versions import (
    decision_threshold,
    load_version,
    production_version,
    signature_of_version,
)
from helpers.training import COST_NAMES, decision_costs, evaluate

SAME_SCHEMA, NOT_BELOW_PRODUCTION = "same schema", "not below production"
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Gate:
    """The result of one check: its name, whether it passed, and the numbers it is based on."""

    name: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.name}: {self.detail}"


@dataclass(frozen=True)
class _Version:
    """A version to compare: its input columns with their types, its model, its threshold if it has one."""

    number: str
    inputs: list[tuple[str, str]]
    model: Pipeline
    threshold: float | None


@dataclass(frozen=True)
class _Holdout:
    """The customers on which two versions are compared, and how a gate's detail calls them."""

    X: pd.DataFrame
    y: pd.Series
    label: str
    too_few: str = ""


def run_gates(
    client: MlflowClient,
    challenger: ModelVersion,
    X_train: pd.DataFrame,
    X_test: pd.DataFrame,
    y_test: pd.Series,
    comparable: pd.Series | None = None,
) -> list[Gate]:
    """Evaluate every gate for a challenger, on the given hold-out.

    Parameters
    ----------
    client : MlflowClient
    challenger : ModelVersion
        E.g. ``staging_version(client, "forest")``.
    X_train, X_test : DataFrame
        Feature columns; only the column names of the training part are used.
    y_test : Series
        0 or 1.
    comparable : Series of bool, optional
        By the index of ``X_test``: the customers that the production version was not trained on either, see
        `not_in_production_training`. The two versions are compared on these only. None for all.

    Returns
    -------
    list of Gate
        Same schema, sound probabilities, better than no model, not below production. Only the first if that
        one fails, because the model cannot score these customers, or was trained for another table than the
        one in use, as the version in production may have been. If that version is not what was registered,
        the last gate fails and says so: that is for a person to decide.
    """
    try:
        new = _load(client, challenger)
        production, unusable = _load_production(client)
    except OtherTable as error:
        return [Gate(SAME_SCHEMA, False, str(error))]
    schema = _same_schema(new, production, X_train)
    if not schema.passed:
        return [schema]
    gates = [
        schema,
        _sound_probabilities(new.model.predict_proba(X_test)),
        _better_than_no_model(new.model, X_test, y_test),
    ]
    if production is None:
        return [*gates, Gate(NOT_BELOW_PRODUCTION, not unusable, unusable or "nothing is in production yet")]
    holdout = _common_holdout(X_test, y_test, comparable)
    return [*gates, _not_below_production(new, production, holdout, _costs(client, challenger))]


def all_passed(gates: list[Gate]) -> bool:
    """Tell whether every gate passed; False for an empty list."""
    return bool(gates) and all(gate.passed for gate in gates)


def _same_schema(challenger: _Version, production: _Version | None, X: pd.DataFrame) -> Gate:
    if production is None:
        same, reference = [name for name, _ in challenger.inputs] == list(X.columns), "the feature columns"
    else:
        same, reference = challenger.inputs == production.inputs, f"version {production.number}"
    return Gate(SAME_SCHEMA, same, f"{len(challenger.inputs)} inputs, compared with {reference}")


def _sound_probabilities(scores: np.ndarray) -> Gate:
    sound = bool(np.isfinite(scores).all() and (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1))
    return Gate("sound probabilities", sound, f"from {scores[:, 1].min():.3f} to {scores[:, 1].max():.3f}")


def _better_than_no_model(model: Pipeline, X: pd.DataFrame, y: pd.Series) -> Gate:
    """Without a model a bank can contact nobody (the majority class) or everybody; F1 must beat both."""
    f1 = evaluate(model, X, y)["test_f1"]
    rules = [DummyClassifier(strategy="most_frequent"), DummyClassifier(strategy="constant", constant=1)]
    best = max(evaluate(rule.fit(X, y), X, y)["test_f1"] for rule in rules)
    return Gate("better than no model", f1 > best, f"hold-out F1 {f1:.4f}, without a model {best:.4f}")


def _not_below_production(
    challenger: _Version, production: _Version, holdout: _Holdout, costs: list[float]
) -> Gate:
    """Compare F1 at 0.5, which decides; the costs are for information."""
    if holdout.too_few:
        return Gate(NOT_BELOW_PRODUCTION, False, holdout.too_few)
    versions = challenger, production
    f1, production_f1 = (evaluate(version.model, holdout.X, holdout.y)["test_f1"] for version in versions)
    detail = f"{holdout.label} F1 {f1:.4f}, production {production_f1:.4f}"
    return Gate(
        NOT_BELOW_PRODUCTION, f1 >= production_f1 - TOLERANCE, detail + _cost_detail(versions, holdout, costs)
    )


def _cost_detail(versions: tuple[_Version, _Version], holdout: _Holdout, costs: list[float]) -> str:
    """Return what each version costs at its own threshold; empty if a threshold or a cost is unknown."""
    means = [
        decision_costs(
            holdout.y, version.model.predict_proba(holdout.X)[:, 1], version.threshold, *costs
        ).mean()
        for version in versions
        if version.threshold is not None and len(costs) == len(COST_NAMES)
    ]
    if len(means) < len(versions):
        return ""
    return f"; cost per customer {means[0]:.4f}, production {means[1]:.4f}, each at its own threshold"


def _common_holdout(X: pd.DataFrame, y: pd.Series, comparable: pd.Series | None) -> _Holdout:
    """Return the held-out customers that neither version was trained on."""
    if comparable is None or comparable[X.index].all():
        return _Holdout(X, y, "hold-out")
    X = X[comparable[X.index]]
    y = y[X.index]
    label = f"{len(X)} held-out customers new to both:"
    rarer = y.value_counts().reindex([0, 1], fill_value=0).min()
    too_few = f"{label} {rarer} of the rarer class are too few to compare" if rarer < MIN_PER_CLASS else ""
    return _Holdout(X, y, label, too_few)


def _load(client: MlflowClient, version: ModelVersion) -> _Version:
    inputs = signature_of_version(client, version).inputs or []
    return _Version(
        str(version.version),
        [(column.name, str(column.type)) for column in inputs],
        load_version(client, version.name, version.version),
        decision_threshold(version),
    )


def _load_production(client: MlflowClient) -> tuple[_Version | None, str]:
    """Return the version in production, if there is one, or why it cannot be used."""
    version = production_version(client)
    try:
        return (_load(client, version) if version else None), ""
    except UnverifiedModel as error:
        return None, str(error)


def _costs(client: MlflowClient, challenger: ModelVersion) -> list[float]:
    """Return the costs that the challenger was trained for, in the order of COST_NAMES, if logged."""
    run = training_run(client, challenger.run_id, challenger.name, challenger.version)
    return [run.data.metrics[name] for name in COST_NAMES if name in run.data.metrics]
