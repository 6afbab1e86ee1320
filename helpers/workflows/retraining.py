"""Retraining: train challengers on old and new customers, and promote the best one if it passes the gates."""

from pathlib import Path

import pandas as pd
from mlflow.entities import Run

from helpers.data import MIN_PER_CLASS, MergedTable, customer_ids, merge_batch, save_table, split
from helpers.errors import NoChallengers, RetrainingInProgress
from helpers.files import begins_with, sha256, write_atomically
from helpers.monitoring import (
    MIN_CUSTOMERS,
    MIN_PER_OUTCOME,
    RETRAIN,
    MonitoringResult,
    enough_outcomes,
    run_monitoring,
)
from helpers.registry import compare_challengers, read_promotion
from helpers.table import current_table
from helpers.tracking import EDIT, Store, check_rights, search_runs, single_run, terminate_stale_runs
from helpers.training import COST_NAMES
from helpers.workflows.notebooks import NotebookStep, check_steps, run_notebooks, training_steps
from helpers.workflows.retraining_report import (
    KEPT,
    PROMOTED,
    TOO_FEW_OUTCOMES,
    RetrainingOutcome,
    log_outcome,
)

LEVEL = "retrain"


def process_batch(
    store: Store, batch: Path, data: str | None, models: list[str], out: Path
) -> RetrainingOutcome:
    """Monitor a batch, retrain if that is the decision, and log a run with ``level=retrain``.

    Parameters
    ----------
    store : Store
    batch : Path
    data : str or None
        The CSV that the production model was trained on, if it is neither in ``out`` nor where it was.
    models : list of str
        Algorithms to train.
    out : Path
        Folder for merged tables, reports and executed notebooks.

    Raises
    ------
    RetrainingInProgress
        If another retraining is in progress; nothing was done then.
    StoreError
        If the user may not train, register or promote.
    DataError, RegistryError, NotebookError
        See `run_monitoring` and `run_notebooks`.
    """
    described = current_table()
    changed = [described.name, *map(described.registered_name, models)]
    check_rights(store.client, dict.fromkeys(changed, EDIT))
    _require_exclusive(store)
    fingerprint = sha256(batch)
    with single_run(store, LEVEL, {"batch": batch.name, "batch_sha256": fingerprint}) as run_id:
        _require_exclusive(store, run_id)
        monitoring = run_monitoring(store, batch, data, merged=out)
        outcome = retrain_if_needed(store, monitoring, models, out)
        log_outcome(store, run_id, outcome)
        report = out / f"{batch.stem}-{fingerprint[:12]}-v{monitoring.production.version}.md"
        write_atomically(report, outcome.markdown().encode(), begins_with("# Retraining: "))
    return outcome


def retrain_if_needed(
    store: Store, monitoring: MonitoringResult, models: list[str], out: Path
) -> RetrainingOutcome:
    """Act on a monitoring decision: do nothing, or train, run the gates on the best, and promote it.

    Parameters
    ----------
    store : Store
    monitoring : MonitoringResult
    models : list of str
        Algorithms to train; those that an interrupted call trained on the same table are not trained again.
    out : Path
        Folder for the merged table and the executed notebooks.

    Raises
    ------
    DataError
        If the batch would be trained on and has no ``CustomerId``.
    NotebookError
        If a notebook fails.
    """
    version, decision = monitoring.production.version, monitoring.report.decision
    if decision != RETRAIN:
        return RetrainingOutcome(
            KEPT, f"The decision is {decision}: nothing was trained.", monitoring, version
        )
    merged = merge_batch(monitoring.reference, monitoring.batch)
    if not enough_outcomes(merged.added, merged.churned):
        positive = current_table().target.positive.label
        reason = (
            f"Of {len(monitoring.batch)} new customers, {merged.added} have a known outcome and valid "
            f"features; {merged.churned} of them {positive}. Retraining needs at least {MIN_CUSTOMERS}, "
            f"and {MIN_PER_OUTCOME} per class. Submit the batch again when more outcomes are known."
        )
        return RetrainingOutcome(TOO_FEW_OUTCOMES, reason, monitoring, version, merged)
    table = save_table(merged.table, out)
    fingerprint = sha256(table)
    if fingerprint == monitoring.production.data_sha256:
        reason = f"Version {version} was already trained on this batch."
        return RetrainingOutcome(KEPT, reason, monitoring, version, merged)
    if too_few := too_few_to_compare(monitoring.reference, merged.table):
        reason = f"{too_few} Submit the batch again when more outcomes are known."
        return RetrainingOutcome(TOO_FEW_OUTCOMES, reason, monitoring, version, merged)
    steps, copies = _steps(store, monitoring, models, table), out / table.stem
    check_steps(steps, copies)
    workflow = run_notebooks(steps, copies, store)
    query = f"tags.workflow = '{workflow}' and tags.level = 'promotion'"
    (promotion,) = search_runs(store.client, store.experiment_id, query)
    tags = {"workflow": workflow, "data_sha256": fingerprint}
    return _promotion_outcome(store, monitoring, promotion, merged, tags)


def too_few_to_compare(reference: pd.DataFrame, merged: pd.DataFrame) -> str:
    """Tell why the gates could not compare a model of the merged table with production; empty if they can.

    They compare on customers that neither was trained on. Found out before the search, not after it.
    """
    trained_on = customer_ids(reference.loc[split(reference).X_train.index])
    held_out = merged.loc[split(merged).X_test.index]
    fair = held_out[~customer_ids(held_out).isin(trained_on)]
    rarer = int(fair[current_table().target_name].value_counts().reindex([0, 1], fill_value=0).min())
    if rarer >= MIN_PER_CLASS:
        return ""
    return (
        f"Of {len(held_out)} customers held out of the merged table, {len(fair)} are new to the production "
        f"model, {rarer} of them of the rarer class. To compare two models, {MIN_PER_CLASS} are needed."
    )


def _require_exclusive(store: Store, own_run_id: str | None = None) -> None:
    """Raise if another retraining is in progress; if two start simultaneously, both abort."""
    terminate_stale_runs(store.client, store.experiment_id)
    query = f"attributes.status = 'RUNNING' and tags.level = '{LEVEL}'"
    for run in search_runs(store.client, store.experiment_id, query):
        if run.info.run_id != own_run_id:
            raise RetrainingInProgress(
                f"another retraining is in progress: run {run.info.run_id}. Nothing was done."
            )


def _steps(store: Store, monitoring: MonitoringResult, models: list[str], table: Path) -> list[NotebookStep]:
    """Return 03 for each algorithm not yet trained on this table, and 04.

    The costs of mistakes are those that the production model was trained for.
    """
    try:
        trained = list(compare_challengers(store, sha256(table)).index)
    except NoChallengers:
        trained = []
    costs = {name: monitoring.baseline[name] for name in COST_NAMES if name in monitoring.baseline}
    registry_parameters = {
        "data": str(table),
        "production_data": str(monitoring.reference_path),
        "reason": f"retrained on {monitoring.batch_path.name}: {monitoring.report.reasons[0]}",
    }
    untrained = [name for name in models if name not in trained]
    return [
        *(training_steps(untrained, str(table), costs) if untrained else []),
        NotebookStep("04_registry", "04_registry", registry_parameters),
    ]


def _promotion_outcome(
    store: Store,
    monitoring: MonitoringResult,
    promotion: Run,
    merged: MergedTable,
    tags: dict[str, str],
) -> RetrainingOutcome:
    """Read what notebook 04 decided from its run."""
    decision, before = read_promotion(promotion), monitoring.production.version
    challenger, after = decision.challenger, decision.production_version
    if decision.passed:
        result = PROMOTED
        reason = f"The best challenger, {challenger}, passed every gate: version {after} replaces {before}."
    else:
        result = KEPT
        reason = f"The best challenger, {challenger}, was rejected: {decision.failed_gates}."
        if after != before:
            reason += f" Version {after} was promoted in the meantime."
    challengers = compare_challengers(store, tags["data_sha256"]).reset_index()
    challengers = challengers.drop(columns=["name", "run_id"])
    gates = pd.DataFrame(decision.gates)
    return RetrainingOutcome(result, reason, monitoring, after, merged, challengers, gates, tags)
