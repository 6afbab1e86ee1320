"""New customers compared with the production model's training data: keep, watch or retrain."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import FEATURES, NEW_CUSTOMERS, TARGET
from helpers.data import MISSING_VALUE, UNKNOWN_CATEGORY, data_path, load, split
from helpers.errors import RegistryError
from helpers.files import sha256
from helpers.monitoring import checks, drift, plots
from helpers.monitoring.checks import KEEP, LEVELS, RETRAIN, WATCH, Finding
from helpers.monitoring.report import Report
from helpers.registry import ProductionModel, load_production_model, training_data_path
from helpers.tracking import Store, log_dataset, single_run
from helpers.training import COST_NAMES

# Of fewer customers, chance alone often gives a PSI of 0.1, and only a landslide is significant.
MIN_CUSTOMERS = 200
# F1 of fewer churners than this is a guess, whatever the number of customers.
MIN_PER_OUTCOME = 30

# Found in new customers and reported, where a training table is refused.
TOLERATED = {MISSING_VALUE, UNKNOWN_CATEGORY}


def enough_outcomes(n_known: int, n_left: int) -> bool:
    """Tell whether customers of known outcome are enough to judge a model by, or to learn from."""
    return n_known >= MIN_CUSTOMERS and MIN_PER_OUTCOME <= n_left <= n_known - MIN_PER_OUTCOME


def evaluate_batch(
    live: ProductionModel, reference: pd.DataFrame, batch: pd.DataFrame, promised: dict[str, float]
) -> Report:
    """Check new customers against the table that the live model was trained on.

    Features are compared with the training part; scores and performance with the hold-out, which the model
    has not seen either. Customers with a missing value or a new category can't be scored: they are counted
    as findings and left out of the checks that need a score.

    Parameters
    ----------
    live : ProductionModel
    reference : DataFrame of shape (n_reference, 14)
        The whole table, validated; it is split as in the training.
    batch : DataFrame of shape (n_customers, n_columns)
        ``data.load(path, target=False, tolerate=TOLERATED)``; the outcome may be absent, or missing for some.
    promised : dict
        ``test_f1`` and ``test_roc_auc`` of the live version, and the costs, see `promise`.

    Returns
    -------
    Report
    """
    X_train, X_test, _, y_test = split(reference)
    holdout = X_test.assign(**{TARGET: y_test, "probability": live.score(X_test)["probability"]})
    unknown = pd.concat(
        [checks.unknown_categories(X_train[name], batch[name]) for name in FEATURES], axis=1
    ).any(axis=1)
    sound = batch[FEATURES].notna().all(axis=1) & ~unknown
    table = batch.copy()
    table["probability"] = live.score(batch[sound])["probability"] if sound.any() else float("nan")
    known = table[sound & table[TARGET].notna()] if TARGET in table else table.head(0)
    counts = len(table), int(sound.sum()), len(known)

    findings, notes, domain = [], _notes(counts), None
    if counts[0] >= MIN_CUSTOMERS:
        domain = drift.domain_classifier(X_train, batch)
        findings += [*checks.check_features(X_train, batch), checks.check_domain(domain)]
    if counts[1] >= MIN_CUSTOMERS:
        findings.append(checks.check_scores(holdout["probability"], table.loc[sound, "probability"]))
    if len(known) and enough_outcomes(len(known), int(known[TARGET].sum())):
        sides = holdout[TARGET], holdout["probability"], known[TARGET], known["probability"]
        findings += [
            *checks.check_performance(*sides, promised, live.threshold),
            checks.check_calibration(*sides),
        ]
        if not promised.keys() >= set(COST_NAMES):
            notes.append(
                "the run that trained the live version names no costs of mistakes: that its rule costs more "
                "than before would go unseen"
            )
    elif counts[1] >= MIN_CUSTOMERS:
        notes.append(
            f"{len(known)} known outcomes are too few to compare F1 with the promise (at least "
            f"{MIN_CUSTOMERS}, {MIN_PER_OUTCOME} of each): that others leave than before would go unseen"
        )
    findings = checks.adjust_and_grade(findings)
    decision = max([finding.level for finding in findings], key=LEVELS.index, default=WATCH)
    reasons = [_reason(f) for level in (RETRAIN, WATCH) for f in findings if f.level == level]
    if findings and decision == KEEP:
        reasons = [f"none of {len(findings)} checks found a significant change that matters"]
    return Report(decision, reasons + notes, findings, *counts, table, holdout, domain)


@dataclass(frozen=True)
class MonitoringResult:
    """A look at a batch that was logged: the report, and what it was made from."""

    report: Report
    run_id: str
    live: ProductionModel
    batch_path: Path
    reference_path: Path
    reference: pd.DataFrame
    batch: pd.DataFrame


def run_monitoring(
    store: Store, batch: str | Path | None = None, data: str | None = None
) -> MonitoringResult:
    """Check a file of new customers against the live model's reference, and log it as a run.

    The run has ``level=monitoring``, the tags ``decision``, ``live_version`` and ``batch_sha256``, a metric
    per finding, the batch as dataset input, ``report.json`` and a figure per kind of finding.

    Parameters
    ----------
    store : Store
    batch : path, optional
        A CSV with the ten features; identifiers and outcome may be there. None for the embedded
        ``data/new_customers.csv``.
    data : path, optional
        The CSV that the live model was trained on; found by itself if it still lies where it did.

    Raises
    ------
    DataError
        If the batch can't be used, or the reference is not found.
    RegistryError
        If nothing is live.
    """
    live = load_production_model(store.client)
    path, trained_on = data_path(batch or NEW_CUSTOMERS), training_data_path(store, live, data)
    customers, reference = load(path, target=False, tolerate=TOLERATED), load(trained_on)
    with single_run(store, "monitoring") as run_id:
        report = evaluate_batch(live, reference, customers, baseline_metrics(store, live))
        log_dataset(store, run_id, customers, path, "monitoring")
        _log(store, run_id, report, reference, {
            "live_version": str(live.version),
            "batch_sha256": sha256(path),
            "reference_sha256": live.data_sha256,
        })  # fmt: skip
    return MonitoringResult(report, run_id, live, path, trained_on, reference, customers)


def baseline_metrics(store: Store, live: ProductionModel) -> dict[str, float]:
    """Return the hold-out scores that the live version's training logged, and the costs of its mistakes.

    The costs, ``missed_cost`` and ``wasted_cost``, are left out if the run is too old to name them.

    Raises
    ------
    RegistryError
        If its run has no scores.
    """
    metrics = store.client.get_run(live.run_id).data.metrics
    wanted = ("test_f1", "test_roc_auc")
    if missing := [name for name in wanted if name not in metrics]:
        raise RegistryError(
            f"the run that trained churn version {live.version} has no {' nor '.join(missing)}: train again "
            "with notebooks/03_train.ipynb and promote that version"
        )
    return {name: metrics[name] for name in (*wanted, *COST_NAMES) if name in metrics}


def _log(store: Store, run_id: str, report: Report, reference: pd.DataFrame, tags: dict[str, str]) -> None:
    client = store.client
    for key, value in {**tags, "decision": report.decision}.items():
        client.set_tag(run_id, key, value)
        client.log_param(run_id, key, value)
    for name in ("n_customers", "n_scored", "n_outcomes"):
        client.log_metric(run_id, name, getattr(report, name))
    for finding in report.findings:
        name = f"{finding.check}/{finding.subject}".replace(" ", "_")
        client.log_metric(run_id, f"{name}/{finding.measure.replace(' ', '_')}", finding.effect)
        client.log_metric(run_id, f"{name}/p_adjusted", finding.p_adjusted)
        if finding.seen is not None:
            client.log_metric(run_id, f"{name}/seen", finding.seen)
    client.log_text(run_id, report.to_json(), "report.json")
    for name, fig in plots.all_figures(report, reference).items():
        client.log_figure(run_id, fig, f"plots/{name}.png")


def _notes(counts: tuple[int, int, int]) -> list[str]:
    customers, scored, _ = counts
    notes = []
    if customers < MIN_CUSTOMERS:
        notes.append(f"too few customers to tell: {customers}, at least {MIN_CUSTOMERS} are needed")
    if scored < customers:
        notes.append(
            f"{customers - scored:,} of {customers:,} customers can't be scored: a value is missing or a "
            "category is new"
        )
    if scored < MIN_CUSTOMERS <= customers:
        notes.append(f"{scored} scores are too few to compare: at least {MIN_CUSTOMERS} are needed")
    return notes


def _reason(finding: Finding) -> str:
    limit = finding.limits[LEVELS.index(finding.level) - 1]
    p = "< 0.0001" if finding.p_adjusted < 0.0001 else f"= {finding.p_adjusted:.4f}"
    return f"{finding.text} ({finding.level} from {limit:g}; adjusted p {p})"
