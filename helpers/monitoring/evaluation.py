"""Judge a batch of new customers against the production model's training data: keep, watch or retrain."""

from collections.abc import Mapping

import pandas as pd

from helpers.data import MISSING_VALUE, UNKNOWN_CATEGORY, split
from helpers.monitoring import checks, drift
from helpers.monitoring.findings import KEEP, LEVELS, RETRAIN, WATCH, Finding, adjust_and_grade
from helpers.monitoring.report import Report
from helpers.registry import ProductionModel
from helpers.table import current_table
from helpers.training import COST_NAMES

# With fewer customers, chance alone often gives a PSI of 0.1, and only very large shifts are significant.
MIN_CUSTOMERS = 200
# With fewer churners F1 is a guess, however many customers there are; the same holds for retained customers.
MIN_PER_OUTCOME = 30

# Problems that are findings in new customers; a training table with them is refused.
TOLERATED = {MISSING_VALUE, UNKNOWN_CATEGORY}


def enough_outcomes(n_outcomes: int, n_churned: int) -> bool:
    """Tell whether known outcomes are enough to judge a model by, or to train on."""
    return n_outcomes >= MIN_CUSTOMERS and MIN_PER_OUTCOME <= n_churned <= n_outcomes - MIN_PER_OUTCOME


def evaluate_batch(
    production: ProductionModel, reference: pd.DataFrame, batch: pd.DataFrame, baseline: Mapping[str, float]
) -> Report:
    """Check new customers against the table that the production model was trained on.

    Features are compared with the training part; scores and performance with the hold-out, which the model
    has not seen either. Customers with a missing value or a new category cannot be scored: they are counted
    as findings, and excluded from the checks that need a score.

    Parameters
    ----------
    production : ProductionModel
    reference : DataFrame of shape (n_reference, n_columns)
        The whole table, validated; it is split as in the training.
    batch : DataFrame of shape (n_customers, n_columns)
        ``data.load(path, target=False, tolerate=TOLERATED)``; the outcome may be absent, or missing for some.
    baseline : mapping
        See `baseline_metrics`.
    """
    target = current_table().target_name
    X_train, X_test, _, y_test = split(reference)
    probability = production.score(X_test)["probability"]
    holdout = X_test.assign(**{target: y_test, "probability": probability})
    table = _add_scores(production, X_train, batch)
    scored = table[table["probability"].notna()]
    labeled = scored[scored[target].notna()] if target in scored else scored.head(0)
    has_outcomes = len(labeled) > 0 and enough_outcomes(len(labeled), int(labeled[target].sum()))

    findings: list[Finding] = []
    domain = None
    if len(batch) >= MIN_CUSTOMERS:
        domain = drift.domain_classifier(X_train, batch)
        findings += [*checks.check_features(X_train, batch), checks.check_domain(domain)]
    if len(scored) >= MIN_CUSTOMERS:
        findings.append(checks.check_scores(holdout["probability"], scored["probability"]))
    if has_outcomes:
        findings += checks.check_performance(holdout, labeled, baseline, production.threshold)
        findings.append(checks.check_calibration(holdout, labeled))
    findings = adjust_and_grade(findings)
    decision, reasons = _decide(findings)
    notes = _size_notes(len(batch), len(scored))
    if has_outcomes and not baseline.keys() >= set(COST_NAMES):
        notes.append(
            "the production model's training run has no costs of mistakes: a cost increase cannot be detected"
        )
    if len(scored) >= MIN_CUSTOMERS and not has_outcomes:
        notes.append(
            f"only {len(labeled)} known outcomes (at least {MIN_CUSTOMERS} needed, {MIN_PER_OUTCOME} per "
            "class): concept shift cannot be detected"
        )
    counts = len(batch), len(scored), len(labeled)
    return Report(decision, reasons + notes, findings, *counts, table, X_train, holdout, domain)


def _add_scores(production: ProductionModel, X_train: pd.DataFrame, batch: pd.DataFrame) -> pd.DataFrame:
    """Return the batch with ``probability``, missing where a value is missing or a category is new."""
    described = current_table()
    unknown = [checks.unknown_categories(X_train[name], batch[name]) for name in described.feature_names]
    valid = batch[described.never_missing].notna().all(axis=1) & ~pd.concat(unknown, axis=1).any(axis=1)
    valid &= ~batch.index.isin(production.unscorable(batch).index)
    table = batch.copy()
    table["probability"] = production.score(batch[valid])["probability"] if valid.any() else float("nan")
    return table


def _decide(findings: list[Finding]) -> tuple[str, list[str]]:
    """Return the most severe level, and the reasons for it; without findings, ``watch``."""
    decision = max((finding.level for finding in findings), key=LEVELS.index, default=WATCH)
    if findings and decision == KEEP:
        return KEEP, [f"none of {len(findings)} checks found a significant change that matters"]
    return decision, [f.reason for level in (RETRAIN, WATCH) for f in findings if f.level == level]


def _size_notes(n_customers: int, n_scored: int) -> list[str]:
    notes = []
    if n_customers < MIN_CUSTOMERS:
        notes.append(f"too few customers to judge: {n_customers}, at least {MIN_CUSTOMERS} are needed")
    if n_scored < n_customers:
        notes.append(
            f"{n_customers - n_scored:,} of {n_customers:,} customers cannot be scored: a value is missing "
            "or a category is new"
        )
    if n_scored < MIN_CUSTOMERS <= n_customers:
        notes.append(f"{n_scored} scores are too few to compare: at least {MIN_CUSTOMERS} are needed")
    return notes
