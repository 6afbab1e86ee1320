"""A look at new customers put into practice: train challengers on old and new customers, let the best try."""

from pathlib import Path

import pandas as pd
from mlflow.entities import Run

from helpers.data import MergedTable, merge_batch, save_table
from helpers.errors import NoChallengers
from helpers.files import sha256
from helpers.monitoring import (
    MIN_CUSTOMERS,
    MIN_PER_OUTCOME,
    RETRAIN,
    MonitoringResult,
    enough_outcomes,
)
from helpers.registry import compare_challengers, read_promotion
from helpers.tracking import Store, search_runs
from helpers.training import COST_NAMES
from helpers.workflows.notebooks import NotebookStep, run_notebooks
from helpers.workflows.retraining_report import KEPT, PROMOTED, TOO_FEW_OUTCOMES, RetrainingOutcome


def retrain_if_needed(
    store: Store, seen: MonitoringResult, models: list[str], out: Path
) -> RetrainingOutcome:
    """Do what a look at new customers decided: nothing, or train, put the best through the gates, promote.

    Parameters
    ----------
    store : Store
    seen : Look
    models : list of str
        Algorithms to train; those that an interrupted call trained on the same table are not trained again.
    out : Path
        Folder for the combined table and the executed notebooks.

    Raises
    ------
    DataError
        If the batch is to be learned from and has no ``CustomerId``.
    NotebookError
        If a notebook fails.
    """
    live = seen.live.version
    if seen.report.decision != RETRAIN:
        return RetrainingOutcome(
            KEPT, f"The decision is {seen.report.decision}: nothing was trained.", seen, live
        )
    combined = merge_batch(seen.reference, seen.batch)
    if not enough_outcomes(combined.added, combined.churned):
        why = (
            f"Of {len(seen.batch)} new customers {combined.added} have an outcome and all that the pipeline "
            f"needs, {combined.churned} of them left; to learn from, at least {MIN_CUSTOMERS} are needed and "
            f"{MIN_PER_OUTCOME} of each outcome. Bring the batch back once it is known who left."
        )
        return RetrainingOutcome(TOO_FEW_OUTCOMES, why, seen, live, combined)
    table = save_table(combined.table, out)
    fingerprint = sha256(table)
    if fingerprint == seen.live.data_sha256:
        why = f"Version {live} has learned from this very batch already."
        return RetrainingOutcome(KEPT, why, seen, live, combined)
    series = run_notebooks(_steps(store, seen, models, table), out / table.stem, store)
    query = f"tags.series = '{series}' and tags.level = 'promotion'"
    (promotion,) = search_runs(store.client, store.experiment_id, query)
    return _verdict(store, seen, promotion, combined, {"series": series, "data_sha256": fingerprint})


def _steps(store: Store, seen: MonitoringResult, models: list[str], table: Path) -> list[NotebookStep]:
    """Return 03 for each algorithm that an interrupted retraining on this table did not get to, and 04.

    Mistakes cost what the live version was trained for.
    """
    try:
        trained = compare_challengers(store, sha256(table)).index
    except NoChallengers:
        trained = []
    given = {"data": str(table)}
    logged = store.client.get_run(seen.live.run_id).data.metrics
    costs = {name: logged[name] for name in COST_NAMES if name in logged}
    reason = f"retrained on {seen.batch_path.name}: {seen.report.reasons[0]}"
    return [
        *(
            NotebookStep("03_train", f"03_train-{m}", {**given, **costs, "model": m})
            for m in models
            if m not in trained
        ),
        NotebookStep(
            "04_registry",
            "04_registry",
            {**given, "production_data": str(seen.reference_path), "reason": reason},
        ),
    ]


def _verdict(
    store: Store, seen: MonitoringResult, promotion: Run, combined: MergedTable, tags: dict[str, str]
) -> RetrainingOutcome:
    """Read from the run of notebook 04 what it put forward, what the gates said and what it did."""
    before, decision = seen.live.version, read_promotion(promotion)
    live, best = decision.production_version, decision.challenger
    if decision.passed:
        result = PROMOTED
        why = f"The best challenger, {best}, passed every gate: version {live} replaces {before}."
    else:
        result, why = KEPT, f"The best challenger, {best}, was rejected: {decision.failed_gates}."
        if live != before:
            why += f" Version {live} was promoted in the meantime."
    gates = pd.DataFrame(decision.gates)
    compared = compare_challengers(store, tags["data_sha256"]).reset_index().drop(columns=["name", "run_id"])
    return RetrainingOutcome(result, why, seen, live, combined, compared, gates, tags)
