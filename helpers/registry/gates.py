"""The checks a candidate passes before it may go live. A check that can't be made fails loudly."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import get_model_info
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from helpers.config import FOLDS, SELECT_BY
from helpers.data import MIN_PER_CLASS
from helpers.registry.stages import load_version, production_version
from helpers.training import COST_NAMES, decision_costs, evaluate

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Gate:
    """One check: its name, whether it passed, and the figures it looked at."""

    name: str
    passed: bool
    detail: str


def run_gates(
    client: MlflowClient,
    candidate: ModelVersion,
    X_train: pd.DataFrame,
    X_test: pd.DataFrame,
    y_test: pd.Series,
    unseen: pd.Series | None = None,
) -> list[Gate]:
    """Put a candidate through every gate, on the given hold-out.

    Parameters
    ----------
    client : MlflowClient
    candidate : ModelVersion
        E.g. ``registry.staging_version(client, "forest")``.
    X_train, X_test : DataFrame
        Feature columns; of the training part only the column names and types are looked at.
    y_test : Series
        0 or 1.
    unseen : Series of bool, optional
        By the index of ``X_test``: whether the live version, too, was not trained on the customer, see
        `reference.not_in_production_training`. The two are compared on those only. None for all.

    Returns
    -------
    list of Gate
        Passed or not: schema, sound probabilities, better than no model, not below the live version. Only
        the first, if that is failed.
    """
    live = production_version(client)
    schema = _schema(candidate, live, X_train)
    if not schema.passed:
        return [schema]  # a model of other columns can't be scored on these customers
    model = load_version(client, candidate.name, candidate.version)
    return [
        schema,
        _probabilities(model.predict_proba(X_test)),
        _baseline(evaluate(model, X_test, y_test)["test_f1"], X_test, y_test),
        _not_below_live(client, candidate, model, live, X_test, y_test, unseen),
    ]


def all_passed(gates: list[Gate]) -> bool:
    """Tell whether every gate was passed; False for no gates at all."""
    return bool(gates) and all(gate.passed for gate in gates)


def fold_scores(client: MlflowClient, version: ModelVersion) -> pd.Series:
    """Return the five validation F1 scores of the combination that a version was trained with, by fold."""
    experiment = client.get_run(version.run_id).info.experiment_id
    folds = client.search_runs(
        [experiment], f"tags.level = 'fold' and tags.`mlflow.parentRunId` = '{version.run_id}'"
    )
    scores = {int(run.data.tags["fold"]): run.data.metrics[f"val_{SELECT_BY}"] for run in folds}
    if len(scores) != FOLDS:
        raise ValueError(f"{version.name} version {version.version} has {len(scores)} fold runs, not {FOLDS}")
    return pd.Series(scores, name=version.name).sort_index()


def paired_test(a: pd.Series, b: pd.Series) -> tuple[float, float]:
    """Compare two models' scores over the same folds.

    The corrected resampled t-test: folds share training rows, so the plain paired t-test is too sure
    (Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003).

    Parameters
    ----------
    a, b : Series of shape (n_folds,)
        Scores by fold.

    Returns
    -------
    tuple of float
        Mean difference ``a - b`` and the two-sided p-value; 1.0 if all differences are zero.
    """
    difference = (a - b).to_numpy()
    n = len(difference)
    # Test and training share of one fold: 1/n and (n - 1)/n.
    spread = np.sqrt((1 / n + 1 / (n - 1)) * difference.var(ddof=1))
    if spread == 0:
        return float(difference.mean()), 1.0 if difference.mean() == 0 else 0.0
    p = 2 * stats.t.sf(abs(difference.mean() / spread), df=n - 1)
    return float(difference.mean()), float(p)


def _schema(candidate: ModelVersion, live: ModelVersion | None, X: pd.DataFrame) -> Gate:
    inputs = _inputs(candidate)
    expected = _inputs(live) if live else list(X.columns)
    against = f"version {live.version}" if live else "the feature columns"
    if live is None:
        inputs = [name for name, _ in inputs]
    return Gate("same schema", inputs == expected, f"{len(inputs)} inputs, compared with {against}")


def _inputs(version: ModelVersion) -> list[tuple[str, str]]:
    signature = get_model_info(f"models:/{version.name}/{version.version}").signature
    return [(column.name, str(column.type)) for column in signature.inputs]


def _probabilities(scores: np.ndarray) -> Gate:
    sound = bool(np.isfinite(scores).all() and (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1))
    return Gate("sound probabilities", sound, f"from {scores[:, 1].min():.3f} to {scores[:, 1].max():.3f}")


def _baseline(f1: float, X: pd.DataFrame, y: pd.Series) -> Gate:
    """Without a model a bank can contact nobody (the majority) or everybody; F1 must beat both."""
    rules = [DummyClassifier(strategy="most_frequent"), DummyClassifier(strategy="constant", constant=1)]
    best = max(evaluate(rule.fit(X, y), X, y)["test_f1"] for rule in rules)
    return Gate("better than no model", f1 > best, f"hold-out F1 {f1:.4f}, without a model {best:.4f}")


def _not_below_live(
    client: MlflowClient,
    candidate: ModelVersion,
    model: Pipeline,
    live: ModelVersion | None,
    X: pd.DataFrame,
    y: pd.Series,
    unseen: pd.Series | None,
) -> Gate:
    """Compare with the live version on customers that neither was trained on."""
    name = "not below the live version"
    if live is None:
        return Gate(name, True, "nothing is live yet")
    whom = "hold-out"
    if unseen is not None and not unseen[X.index].all():
        X = X[unseen[X.index]]
        y = y[X.index]
        whom = f"{len(X)} held-out customers new to both:"
        if (rarer := y.value_counts().reindex([0, 1], fill_value=0).min()) < MIN_PER_CLASS:
            return Gate(name, False, f"{whom} {rarer} of the rarer class are too few to compare")
    models = model, load_version(client, live.name, live.version)
    f1, now = (evaluate(one, X, y)["test_f1"] for one in models)
    detail = f"{whom} F1 {f1:.4f}, live version {now:.4f}"
    costs = client.get_run(candidate.run_id).data.metrics
    rules = [version.tags.get("decision_threshold") for version in (candidate, live)]
    if all(rules) and costs.keys() >= set(COST_NAMES):
        detail += _cost(models, rules, [costs[name] for name in COST_NAMES], X, y)
    return Gate(name, f1 >= now - TOLERANCE, detail)


def _cost(models: tuple, rules: list[str], costs: list[float], X: pd.DataFrame, y: pd.Series) -> str:
    """Say what either would cost at the threshold that goes with it; F1 at 0.5 decides, this informs."""
    cost, now = (
        decision_costs(y, model.predict_proba(X)[:, 1], float(rule), *costs).mean()
        for model, rule in zip(models, rules, strict=True)
    )
    return f"; cost a customer {cost:.4f}, live version {now:.4f}, each at its own threshold"
