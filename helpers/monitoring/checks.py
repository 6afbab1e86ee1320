"""The checks of a batch against the reference: each returns findings with an effect and a p-value.

A finding counts only if it is both significant and large: in a large batch negligible differences become
significant, in a small one any effect can be large by chance.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score

from helpers.config import SEED
from helpers.monitoring import drift
from helpers.monitoring.findings import Finding, Interval
from helpers.table import current_table
from helpers.training import COST_NAMES, decision_costs


def check_features(reference: pd.DataFrame, batch: pd.DataFrame) -> list[Finding]:
    """Compare every feature: the distribution of its known values, missing values, new categories."""
    findings = []
    described = current_table()
    for name in described.feature_names:
        is_new = unknown_categories(reference[name], batch[name])
        known = batch[name].mask(is_new)
        p = drift.distribution_p(reference[name], known, numeric=name in described.numeric)
        psi = drift.psi(reference[name], known)
        findings.append(Finding("distribution", name, "PSI", psi, p, f"{name}: PSI {psi:.2f}"))
        missing = reference[name].isna(), batch[name].isna()
        findings.append(_check_share("missing values", name, *missing, "missing"))
        if name in described.categorical:
            categories = ", ".join(sorted(batch[name][is_new].unique()))
            never = pd.Series(False, reference.index)
            findings.append(
                _check_share("new categories", name, never, is_new, f"new category {categories}".rstrip())
            )
    return findings


def unknown_categories(reference: pd.Series, batch: pd.Series) -> pd.Series:
    """Tell which customers have a category that does not occur in the reference."""
    return batch.notna() & ~batch.isin(reference.unique()) & (batch.name in current_table().categorical)


def check_domain(domain: drift.DomainResult) -> Finding:
    """Judge how well a classifier tells batch from reference."""
    text = f"a classifier tells batch from reference with ROC AUC {domain.auc:.2f}"
    return Finding(
        "domain classifier",
        "all features",
        "ROC AUC",
        domain.auc,
        domain.p_value,
        text,
        reference=0.5,
        current=domain.auc,
        current_interval=(domain.low, domain.high),
    )


def check_scores(holdout: pd.Series, batch: pd.Series) -> Finding:
    """Compare the production model's scores of new customers with those of the hold-out."""
    psi = drift.psi(holdout, batch)
    p = drift.distribution_p(holdout, batch, numeric=True)
    text = f"scores: PSI {psi:.2f}, mean {batch.mean():.3f}, {holdout.mean():.3f} on the hold-out"
    means = float(holdout.mean()), float(batch.mean())
    return Finding("scores", "probability", "PSI", psi, p, text, *means)


def check_performance(
    holdout: pd.DataFrame, batch: pd.DataFrame, baseline: Mapping[str, float], threshold: float
) -> list[Finding]:
    """Compare F1 and ROC AUC with the baseline, and the cost of decisions with the hold-out's.

    The baseline is itself an estimate, from the customers of the hold-out. So both tables are resampled
    (bootstrap), and a change for the worse is tested one-sided against the spread of the difference.

    Parameters
    ----------
    holdout, batch : DataFrame
        With the outcome (0 or 1) and ``probability``.
    baseline : mapping
        ``test_f1`` and ``test_roc_auc``; costs are compared only if it has ``missed_cost`` and
        ``wasted_cost``.
    threshold : float
        Customers with ``probability >= threshold`` are contacted.
    """
    holdout_costs = _customer_costs(holdout, baseline, threshold)
    batch_costs = _customer_costs(batch, baseline, threshold)
    target = current_table().target_name
    y, probability = batch[target], batch["probability"]
    before = drift.bootstrap(holdout[target], holdout["probability"], SEED, holdout_costs)
    after = drift.bootstrap(y, probability, SEED + 1, batch_costs)
    findings = []
    for metric, name, current in (
        ("f1", "F1", float(f1_score(y, probability > 0.5))),
        ("roc_auc", "ROC AUC", float(roc_auc_score(y, probability))),
    ):
        reference = baseline[f"test_{metric}"]
        drop = reference - current
        findings.append(
            Finding(
                "performance",
                name,
                "drop",
                drop,
                _p_not_worse(drop, before[metric], after[metric]),
                f"{name} {current:.3f}, baseline {reference:.3f}",
                reference,
                current,
                _interval(before[metric]),
                _interval(after[metric]),
            )
        )
    if holdout_costs is not None and batch_costs is not None:
        least = min(baseline[name] for name in COST_NAMES)
        findings.append(_check_cost(holdout_costs, batch_costs, least, before["cost"], after["cost"]))
    return findings


def check_calibration(holdout: pd.DataFrame, batch: pd.DataFrame) -> Finding:
    """Compare the churn rate with the one that the scores predict; parameters as in `check_performance`.

    A model trained with class weights predicts too high a rate everywhere, so what counts is the change of
    ``outcome - probability`` since the hold-out (Welch's t-test).
    """
    target, outcome = current_table().target_name, current_table().target.outcome
    before = holdout[target] - holdout["probability"]
    after = batch[target] - batch["probability"]
    p = float(stats.ttest_ind(before, after, equal_var=False).pvalue)
    # The predicted rate, corrected by its error on the hold-out.
    expected, current = float(batch["probability"].mean() + before.mean()), float(batch[target].mean())
    return Finding(
        "calibration",
        f"{outcome} rate",
        "difference",
        abs(current - expected),
        p,
        f"observed {outcome} {current:.1%}, expected {expected:.1%} from the scores",
        expected,
        current,
        _mean_interval(expected, before),
        _mean_interval(current, after),
    )


def _customer_costs(
    table: pd.DataFrame, baseline: Mapping[str, float], threshold: float
) -> np.ndarray | None:
    """Return the cost of the decision on each customer; None if the costs of mistakes are not known."""
    if not baseline.keys() >= set(COST_NAMES):
        return None
    costs = {name: baseline[name] for name in COST_NAMES}
    return decision_costs(table[current_table().target_name], table["probability"], threshold, **costs)


def _check_cost(
    holdout: np.ndarray, batch: np.ndarray, least: float, before: pd.Series, after: pd.Series
) -> Finding:
    """Compare the cost per customer; ``least`` is the cost of the cheaper mistake."""
    reference, current = float(holdout.mean()), float(batch.mean())
    # At least one mistake's worth: a hold-out without mistakes would divide by zero.
    rise = (current - reference) / max(reference, least / len(holdout))
    return Finding(
        "performance",
        "cost",
        "rise",
        rise,
        _p_not_worse(current - reference, before, after),
        f"cost of mistakes per customer {current:.3f}, {reference:.3f} on the hold-out",
        reference,
        current,
        _interval(before),
        _interval(after),
    )


def _check_share(check: str, name: str, before: pd.Series, after: pd.Series, what: str) -> Finding:
    p = drift.share_p(int(before.sum()), len(before), int(after.sum()), len(after))
    reference, current = float(before.mean()), float(after.mean())
    text = f"{name}: {what} for {current:.1%} of the customers, {reference:.1%} in the reference"
    return Finding(check, name, "share", current - reference, p, text, reference, current)


def _p_not_worse(change: float, before: pd.Series, after: pd.Series) -> float:
    """Return the one-sided p-value of no change for the worse, from replicates of both tables."""
    spread = float((after - before).std())
    return float(stats.norm.sf(change / spread)) if spread > 0 else float(change <= 0)


def _interval(replicates: pd.Series) -> Interval:
    low, high = replicates.quantile(drift.INTERVAL)
    return float(low), float(high)


def _mean_interval(center: float, values: pd.Series) -> Interval:
    margin = 1.96 * float(values.std() / np.sqrt(len(values)))
    return center - margin, center + margin
