"""Compare the versions in staging: one challenger per algorithm."""

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from scipy import stats

from helpers.config import FOLDS, SELECT_BY
from helpers.errors import NoChallengers, RegistryError, SettingError
from helpers.registry.same_table import TABLE_TAG
from helpers.registry.training_runs import training_run
from helpers.registry.versions import staging_version
from helpers.table import current_table
from helpers.tracking import FOLD_GROUP, Store, store_address
from helpers.training import algorithms

METRICS = {
    "CV F1": "cv_val_f1_mean",
    "CV F1 std": "cv_val_f1_std",
    "hold-out F1": "test_f1",
    "hold-out accuracy": "test_accuracy",
    "hold-out ROC AUC": "test_roc_auc",
}


def compare_challengers(store: Store, data_sha256: str) -> pd.DataFrame:
    """Return the version in staging of every algorithm that was trained on the given data, best first.

    Versions trained on other data are left out: their metrics were computed on different customers. So are
    those trained for another table than the one in use, whose columns or outcome are others.

    Parameters
    ----------
    store : Store
    data_sha256 : str
        Fingerprint of the CSV.

    Returns
    -------
    DataFrame
        Indexed by algorithm, sorted by mean validation F1; ``name``, ``version``, ``run_id`` and the columns
        of ``METRICS``.

    Raises
    ------
    NoChallengers
        If there is none.
    """
    table_sha256 = current_table().fingerprint
    staged = {name: staging_version(store.client, name) for name in _algorithms(store.client)}
    rows = {
        algorithm: _row(store.client, version)
        for algorithm, version in staged.items()
        if version is not None
        and version.tags.get("data_sha256") == data_sha256
        and version.tags.get(TABLE_TAG, table_sha256) == table_sha256
    }
    if not rows:
        others = ", ".join(version.name for version in staged.values() if version) or "nothing"
        raise NoChallengers(
            f"no version in staging in {store_address()} was trained on this data for this table "
            f"(sha256 {data_sha256[:12]}...; in staging: "
            f"{others}). Run notebooks/03_train.ipynb with the same data first."
        )
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("algorithm")
    return table.sort_values(f"CV {SELECT_BY.upper()}", ascending=False, kind="stable")


def _algorithms(client: MlflowClient) -> list[str]:
    """Return every algorithm that may have versions, also one that was since taken out of `algorithms`."""
    prefix, token, names = current_table().registered_name(""), None, list(algorithms())
    while True:
        page = client.search_registered_models(f"name LIKE '{prefix}%'", page_token=token)
        names += [model.name.removeprefix(prefix) for model in page]
        if not (token := page.token):
            return list(dict.fromkeys(names))


def choose_challenger(challengers: pd.DataFrame, name: str | None = None) -> str:
    """Return the algorithm of the challenger that was asked for, by default the best one.

    Parameters
    ----------
    challengers : DataFrame
        As `compare_challengers` returns them.
    name : str, optional

    Raises
    ------
    SettingError
        If it is none of them.
    """
    if name and name not in challengers.index:
        raise SettingError(
            f"challenger {name!r} has no version in staging on this data: choose from "
            f"{', '.join(challengers.index)}, or train it first"
        )
    return name or challengers.index[0]


def validation_scores(client: MlflowClient, version: ModelVersion) -> pd.Series:
    """Return the five validation F1 scores of a version's hyperparameter combination, by fold.

    Raises
    ------
    RegistryError
        If the version's training run is gone, or has the scores of fewer folds.
    """
    run = training_run(client, version.run_id, version.name, version.version)
    metric = f"val_{SELECT_BY}"
    history = client.get_metric_history(run.info.run_id, f"{FOLD_GROUP}{metric}")
    scores = {score.step: score.value for score in history} or _from_fold_runs(client, run, metric)
    if len(scores) != FOLDS:
        raise RegistryError(
            f"the training run of {version.name} version {version.version} has the scores of {len(scores)} "
            f"folds, not {FOLDS}: train again with notebooks/03_train.ipynb"
        )
    return pd.Series(scores, name=version.name).sort_index()


def _from_fold_runs(client: MlflowClient, run: Run, metric: str) -> dict[int, float]:
    """Return a score by fold as an earlier version of the project logged it: on the fold runs only."""
    query = f"tags.level = 'fold' and tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    folds = client.search_runs([run.info.experiment_id], query)
    return {int(fold.data.tags["fold"]): fold.data.metrics[metric] for fold in folds}


def paired_test(a: pd.Series, b: pd.Series) -> tuple[float, float]:
    """Compare two models' scores on the same folds.

    Corrected resampled t-test: folds share training rows, so the plain paired t-test underestimates the
    variance (Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003).

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
    # The test and training shares of a fold are 1/n and (n - 1)/n.
    standard_error = np.sqrt((1 / n + 1 / (n - 1)) * difference.var(ddof=1))
    if standard_error == 0:
        return float(difference.mean()), 1.0 if difference.mean() == 0 else 0.0
    p = 2 * stats.t.sf(abs(difference.mean() / standard_error), df=n - 1)
    return float(difference.mean()), float(p)


def lead_over_others(folds: pd.DataFrame) -> pd.DataFrame:
    """Test the leader against each other challenger, see `paired_test`.

    Parameters
    ----------
    folds : DataFrame of shape (n_folds, n_challengers)
        Scores by fold; the leader in the first column.

    Returns
    -------
    DataFrame of shape (n_challengers - 1, 2)
        By challenger: ``mean lead`` and ``p``.
    """
    leader, *others = folds.columns
    tests = [paired_test(folds[leader], folds[name]) for name in others]
    return pd.DataFrame(tests, index=others, columns=["mean lead", "p"])


def _row(client: MlflowClient, version: ModelVersion) -> dict[str, object]:
    run = training_run(client, version.run_id, version.name, version.version)
    scores = {label: run.data.metrics[key] for label, key in METRICS.items()}
    return {"name": version.name, "version": int(version.version), "run_id": run.info.run_id, **scores}
