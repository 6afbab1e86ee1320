"""Monitoring runs: compare a file of new customers with the reference, and log the report to MLflow."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.data import load, new_customers_path
from helpers.errors import RegistryError
from helpers.files import sha256
from helpers.monitoring.evaluation import TOLERATED, evaluate_batch
from helpers.monitoring.report import Report
from helpers.registry import ProductionModel, load_production_model, training_data_path, training_run
from helpers.table import current_table
from helpers.tracking import Store, check_rights, log_dataset, log_values, metric_name, single_run
from helpers.training import COST_NAMES

SCORE_NAMES = ("test_f1", "test_roc_auc")


@dataclass(frozen=True)
class MonitoringResult:
    """The result of a monitoring run: its report, and what went into it."""

    report: Report
    run_id: str
    production: ProductionModel
    baseline: dict[str, float]
    batch_path: Path
    reference_path: Path
    reference: pd.DataFrame
    batch: pd.DataFrame


def run_monitoring(
    store: Store,
    batch: str | Path | None = None,
    data: str | None = None,
    merged: Path | None = None,
) -> MonitoringResult:
    """Check a file of new customers against the production model's training data, and log it as a run.

    The run has ``level=monitoring``, the tags ``decision``, ``production_version`` and ``batch_sha256``,
    metrics for each finding, the batch as dataset input, ``report.json`` and ``plots/``.

    Parameters
    ----------
    store : Store
    batch : path, optional
        A CSV with all features; identifiers and outcome are optional. None for the
        description's sample.
    data : path, optional
        The CSV that the production model was trained on; None to look where its training found it.
    merged : path, optional
        Folder of merged tables from earlier retrainings, searched first.

    Raises
    ------
    DataError
        If the batch cannot be used, or the reference is not found.
    RegistryError
        If no model is in production.
    StoreError
        If the user may not write to the experiment.
    """
    from helpers.monitoring import plots  # loads matplotlib: not needed to import this package

    check_rights(store.client)
    production = load_production_model(store.client)
    batch_path = new_customers_path(batch)
    baseline = baseline_metrics(store, production)
    reference_path = training_data_path(store, production, data, also=merged)
    customers = load(batch_path, target=False, tolerate=TOLERATED)
    reference = load(reference_path)
    with single_run(store, "monitoring") as run_id:
        report = evaluate_batch(production, reference, customers, baseline)
        log_dataset(store, run_id, customers, batch_path, "monitoring")
        values = {
            "production_version": str(production.version),
            "batch_sha256": sha256(batch_path),
            "reference_sha256": production.data_sha256,
            "decision": report.decision,
        }
        log_values(store, run_id, params=values, metrics=_metrics(report), tags=values)
        store.client.log_text(run_id, report.to_json(), "report.json")
        for name, fig in plots.report_plots(report).items():
            store.client.log_figure(run_id, fig, f"plots/{name}.png")
    return MonitoringResult(
        report, run_id, production, baseline, batch_path, reference_path, reference, customers
    )


def baseline_metrics(store: Store, production: ProductionModel) -> dict[str, float]:
    """Return the hold-out metrics that the production model was promoted with, and its costs of mistakes.

    The costs, ``missed_cost`` and ``wasted_cost``, are absent if an older training run did not log them.

    Raises
    ------
    RegistryError
        If the training run is gone or has no such metrics.
    """
    run = training_run(store.client, production.run_id, current_table().name, production.version)
    metrics = run.data.metrics
    if missing := [name for name in SCORE_NAMES if name not in metrics]:
        raise RegistryError(
            f"the training run of {current_table().name} version {production.version} has no "
            f"{' nor '.join(missing)}: train again with notebooks/03_train.ipynb and promote that version"
        )
    return {name: metrics[name] for name in (*SCORE_NAMES, *COST_NAMES) if name in metrics}


def _metrics(report: Report) -> dict[str, float]:
    metrics: dict[str, float] = {
        "n_customers": report.n_customers,
        "n_scored": report.n_scored,
        "n_outcomes": report.n_outcomes,
    }
    for finding in report.findings:
        name = metric_name(finding.check, finding.subject)
        metrics[f"{name}/{metric_name(finding.measure)}"] = finding.effect
        metrics[f"{name}/p_adjusted"] = finding.p_adjusted
        if finding.current is not None:
            metrics[f"{name}/current"] = finding.current
    return metrics
