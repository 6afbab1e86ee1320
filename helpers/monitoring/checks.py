"""The checks of a batch against the reference: each gives findings with an effect, its limits and a p-value.

A finding counts only when it is both significant and large: a large batch makes every trifle significant,
a small one makes every effect look large.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score

from helpers.config import CATEGORICAL, FEATURES, NUMERIC
from helpers.monitoring import drift
from helpers.training import COST_NAMES, decision_costs

KEEP, WATCH, RETRAIN = LEVELS = ("keep", "watch", "retrain")

# All tests of a batch are adjusted together (Holm), so this is the chance that an unchanged population
# gives any significant finding at all: well below the 2 % of false alarms that are acceptable.
SIGNIFICANCE = 0.01

# Effects from which a significant finding means watch, and retrain.
PSI_LIMITS = (0.1, 0.25)  # the custom of credit scoring: moderate and large shift
UNSCORABLE_LIMITS = (0.01, 0.05)  # share of customers: one in a hundred is a nuisance, one in twenty a hole
DOMAIN_LIMITS = (0.55, 0.65)  # ROC AUC: from 0.65 on two customers are told apart two times in three
DROP_LIMITS = (0.02, 0.05)  # of F1 and ROC AUC: about the lead of one algorithm over the next; over the worst
# Of the cost per customer, relative: a hold-out of 2,000 is itself unsure by a twentieth, so less than a
# tenth is no news; a quarter lies between a weak concept shift (a fifth more) and one that breaks F1 (half).
RISE_LIMITS = (0.1, 0.25)
CALIBRATION_LIMITS = (0.02, 0.05)  # churn rate against scores: two and five customers in a hundred


@dataclass(frozen=True)
class Finding:
    """What one check says of one subject.

    Attributes
    ----------
    check : str
        ``distribution``, ``missing values``, ``new categories``, ``domain classifier``, ``scores``,
        ``performance`` or ``calibration``.
    subject : str
        The feature, score or metric.
    measure : str
        What ``effect`` is: ``PSI``, ``share``, ``ROC AUC``, ``drop``, ``rise`` or ``difference``.
    effect : float
    limits : tuple of float
        Effects from which a significant finding means watch, and retrain.
    p_value, p_adjusted : float
        Of no change, alone and adjusted for all tests of the report.
    text : str
        In words, with the figures.
    expected, seen : float or None
        In the reference (or promised) and in the batch, where the effect compares two figures.
    expected_interval, seen_interval : tuple of float or None
        95 % intervals.
    level : str
        ``keep``, ``watch`` or ``retrain``.
    """

    check: str
    subject: str
    measure: str
    effect: float
    limits: tuple[float, float]
    p_value: float
    text: str
    expected: float | None = None
    seen: float | None = None
    expected_interval: tuple[float, float] | None = None
    seen_interval: tuple[float, float] | None = None
    p_adjusted: float = 1.0
    level: str = KEEP


def adjust_and_grade(findings: list[Finding]) -> list[Finding]:
    """Adjust the p-values for the number of findings and set every level."""
    settled = []
    for finding, p in zip(findings, drift.holm([f.p_value for f in findings]), strict=True):
        reached = sum(finding.effect >= limit for limit in finding.limits) if p < SIGNIFICANCE else 0
        settled.append(replace(finding, p_adjusted=float(p), level=LEVELS[reached]))
    return settled


def check_features(reference: pd.DataFrame, batch: pd.DataFrame) -> Iterator[Finding]:
    """Compare every feature: its known values, its missing ones, and categories that are new."""
    for name in FEATURES:
        new = unknown_categories(reference[name], batch[name])
        known = batch[name].mask(new)
        p = drift.distribution_p(reference[name], known, numeric=name in NUMERIC)
        psi = drift.psi(reference[name], known)
        yield Finding("distribution", name, "PSI", psi, PSI_LIMITS, p, f"{name}: PSI {psi:.2f}")
        yield _unscorable("missing values", name, reference[name].isna(), batch[name].isna(), "missing")
        if name in CATEGORICAL:
            which = ", ".join(sorted(batch[name][new].unique())) or "no new category"
            yield _unscorable("new categories", name, reference[name].isna() & False, new, which)


def unknown_categories(reference: pd.Series, batch: pd.Series) -> pd.Series:
    """Tell which customers have a category that the reference never had."""
    return batch.notna() & ~batch.isin(reference.unique()) & (batch.name in CATEGORICAL)


def check_domain(found: drift.Domain) -> Finding:
    """Judge the classifier that tells batch from reference."""
    text = f"a classifier tells batch from reference with ROC AUC {found.auc:.2f}"
    interval = (found.low, found.high)
    return Finding(
        "domain classifier", "all features", "ROC AUC", found.auc, DOMAIN_LIMITS, found.p_value, text,
        0.5, found.auc, seen_interval=interval,
    )  # fmt: skip


def check_scores(holdout: pd.Series, batch: pd.Series) -> Finding:
    """Compare the live model's scores of new customers with those of the hold-out."""
    psi = drift.psi(holdout, batch)
    p = drift.distribution_p(holdout, batch, numeric=True)
    text = f"scores: PSI {psi:.2f}, mean {batch.mean():.3f} instead of {holdout.mean():.3f}"
    means = float(holdout.mean()), float(batch.mean())
    return Finding("scores", "probability", "PSI", psi, PSI_LIMITS, p, text, *means)


def check_performance(
    y_holdout: pd.Series,
    holdout: pd.Series,
    y: pd.Series,
    scored: pd.Series,
    promised: dict[str, float],
    threshold: float,
) -> Iterator[Finding]:
    """Compare F1 and ROC AUC with what the registry promised, and the cost of the rule in use with before.

    The promise is itself an estimate, from the hold-out's customers: both sides are resampled (bootstrap),
    and the change for the worse is tested one-sided against the spread of their difference.

    Parameters
    ----------
    y_holdout, y : Series
        Outcomes, 0 or 1.
    holdout, scored : Series
        Probabilities of leaving of the same customers.
    promised : dict
        ``test_f1`` and ``test_roc_auc``; with ``missed_cost`` and ``wasted_cost``, costs are compared, too.
    threshold : float
        Customers from this probability on are contacted.
    """
    sides = (y_holdout, holdout), (y, scored)
    costs = [promised[name] for name in COST_NAMES if name in promised]
    spent = [
        decision_costs(*side, threshold, *costs) if len(costs) == len(COST_NAMES) else None for side in sides
    ]
    before, after = (drift.bootstrap(*sides[at], drift.SEED + at, spent[at]) for at in (0, 1))
    now = {"f1": f1_score(y, scored > 0.5), "roc_auc": roc_auc_score(y, scored)}
    for metric, name in (("f1", "F1"), ("roc_auc", "ROC AUC")):
        promise, seen = promised[f"test_{metric}"], float(now[metric])
        text = f"{name} {seen:.3f} where {promise:.3f} was promised"
        p, *intervals = _worsened(promise - seen, before[metric], after[metric])
        yield Finding(
            "performance", name, "drop", promise - seen, DROP_LIMITS, p, text, promise, seen, *intervals
        )
    if "cost" in after:
        yield _rise(*spent, min(costs), before["cost"], after["cost"])


def check_calibration(y_holdout: pd.Series, holdout: pd.Series, y: pd.Series, scored: pd.Series) -> Finding:
    """Compare churn with what the scores expected.

    A model trained with class weights expects too much everywhere, so what counts is the change of
    ``outcome - probability`` since the hold-out (Welch's t-test).
    """
    before, now = y_holdout - holdout, y - scored
    p = float(stats.ttest_ind(before, now, equal_var=False).pvalue)
    # What the scores lead one to expect, once corrected by what they missed on the hold-out.
    expected, seen = float(scored.mean() + before.mean()), float(y.mean())
    text = f"{seen:.1%} left where the scores led to expect {expected:.1%}"
    intervals = (
        (rate - margin, rate + margin)
        for rate, side in ((expected, before), (seen, now))
        for margin in [1.96 * float(side.std() / np.sqrt(len(side)))]
    )
    return Finding(
        "calibration", "churn rate", "difference", abs(seen - expected), CALIBRATION_LIMITS, p, text,
        expected, seen, *intervals,
    )  # fmt: skip


def _rise(spent: np.ndarray, now: np.ndarray, least: float, before: pd.Series, after: pd.Series) -> Finding:
    expected, seen = float(spent.mean()), float(now.mean())
    # One mistake's worth at least: a hold-out without any gives nothing to be relative to.
    rise = (seen - expected) / max(expected, least / len(spent))
    text = f"mistakes cost {seen:.3f} a customer at the threshold in use"
    text += f", where {expected:.3f} was paid on the hold-out"
    p, *intervals = _worsened(seen - expected, before, after)
    return Finding("performance", "cost", "rise", rise, RISE_LIMITS, p, text, expected, seen, *intervals)


def _worsened(by: float, before: pd.Series, after: pd.Series) -> tuple[float, tuple, tuple]:
    """Return the p-value that nothing got worse, one-sided, and the interval of either side's replicates."""
    spread = (after - before).std()
    p = float(stats.norm.sf(by / spread)) if spread > 0 else float(by <= 0)
    low_high = (tuple(map(float, side.quantile(drift.INTERVAL))) for side in (before, after))
    return p, *low_high


def _unscorable(check: str, name: str, before: pd.Series, now: pd.Series, what: str) -> Finding:
    p = drift.share_p(int(before.sum()), len(before), int(now.sum()), len(now))
    expected, seen = float(before.mean()), float(now.mean())
    text = f"{name}: {what} for {seen:.1%} of the customers ({expected:.1%} in the reference)"
    return Finding(check, name, "share", seen - expected, UNSCORABLE_LIMITS, p, text, expected, seen)
