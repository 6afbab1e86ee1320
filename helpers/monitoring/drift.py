"""Drift statistics: how much two samples differ, and whether that can be chance.

Each function compares a reference with a batch; none knows about models, limits or decisions.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from helpers.config import SEED, folds
from helpers.table import current_table

BINS = 10  # deciles of the reference: what the conventional PSI limits assume
FEW_VALUES = 20  # numeric features with no more distinct values are compared value by value
REPLICATES = 400
INTERVAL = [0.025, 0.975]  # quantiles of a 95% interval

# Maximum rows per sample for the domain classifier: enough to detect a difference that matters, and a large
# batch takes no longer.
DOMAIN_ROWS = 4000


def binned_shares(reference: pd.Series, batch: pd.Series) -> pd.DataFrame:
    """Return the share of both samples in each bin: a category, a value, or a decile of the reference.

    Parameters
    ----------
    reference, batch : Series
        Missing values are ignored; a batch value outside the reference's range falls into the outer bin.

    Returns
    -------
    DataFrame of shape (n_bins, 2)
        Columns ``reference`` and ``batch``, each summing to 1. Half a customer is added to every bin, so the
        PSI is finite where a bin is empty.
    """
    reference, batch = reference.dropna(), batch.dropna()
    if pd.api.types.is_numeric_dtype(reference) and reference.nunique() > FEW_VALUES:
        edges = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
        reference, batch = (pd.Series(np.searchsorted(edges, values)) for values in (reference, batch))
    counts = pd.DataFrame({"reference": reference.value_counts(), "batch": batch.value_counts()})
    counts = counts.fillna(0).sort_index() + 0.5
    return counts / counts.sum()


def psi(reference: pd.Series, batch: pd.Series) -> float:
    """Return the population stability index: 0 for equal shares in all bins; 0.25 is considered large."""
    shares = binned_shares(reference, batch)
    before, after = shares["reference"], shares["batch"]
    return float(((after - before) * np.log(after / before)).sum())


def distribution_p(reference: pd.Series, batch: pd.Series, *, numeric: bool) -> float:
    """Return the p-value of equal distributions: Kolmogorov-Smirnov for numbers, chi-square for categories.

    1.0 if there is nothing to compare.
    """
    reference, batch = reference.dropna(), batch.dropna()
    if not len(reference) or not len(batch):
        return 1.0
    if numeric:
        return float(stats.ks_2samp(reference, batch, method="asymp").pvalue)
    counts = pd.concat([reference.value_counts(), batch.value_counts()], axis=1).fillna(0).to_numpy()
    return float(stats.chi2_contingency(counts, correction=False).pvalue) if len(counts) > 1 else 1.0


def share_p(reference: int, n_reference: int, batch: int, n_batch: int) -> float:
    """Return the one-sided p-value of no rise in a share of customers: Fisher's exact test."""
    table = [[batch, n_batch - batch], [reference, n_reference - reference]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p-values for their number (Holm, 1979): controls the family-wise error rate."""
    p = np.asarray(p_values, dtype="float64")
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0)[np.argsort(order)]


@dataclass(frozen=True)
class DomainResult:
    """How well a classifier tells batch from reference, out of fold.

    Attributes
    ----------
    auc, low, high : float
        ROC AUC with a 95% interval; 0.5 means that they are indistinguishable. Cross-validation on equal
        samples tends to give slightly less.
    p_value : float
        Under no difference.
    is_batch, score : ndarray of shape (n_customers,)
        Whether a customer is from the batch (0 or 1), and the out-of-fold score.
    """

    auc: float
    low: float
    high: float
    p_value: float
    is_batch: np.ndarray
    score: np.ndarray


def domain_classifier(reference: pd.DataFrame, batch: pd.DataFrame) -> DomainResult:
    """Train a classifier to tell batch from reference, and score it out of fold.

    It detects changes in how features go together, which no single feature shows. Missing values and new
    categories are signals, too.

    Parameters
    ----------
    reference, batch : DataFrame
        With the feature columns; at least ``config.FOLDS`` rows each.
    """
    described = current_table()
    samples = [
        table[described.feature_names].sample(min(len(table), DOMAIN_ROWS), random_state=SEED)
        for table in (reference, batch)
    ]
    is_batch = np.repeat([0, 1], [len(sample) for sample in samples])
    X = pd.concat(samples, ignore_index=True)
    for name in described.categorical:  # all unseen categories as one value: the classifier takes at most 255
        X[name] = X[name].where(X[name].isna() | X[name].isin(reference[name].unique()), "new")
    X = X.astype({name: "category" for name in X if name not in described.numeric})
    model = HistGradientBoostingClassifier(
        max_iter=30,
        max_leaf_nodes=8,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=SEED,
    )
    with threadpool_limits(1):  # with so little data, threads waiting for a busy core take ten times as long
        score = cross_val_predict(model, X, is_batch, cv=folds(), method="predict_proba")[:, 1]
    replicates = bootstrap(is_batch, score)["roc_auc"]
    p_value = stats.mannwhitneyu(score[is_batch == 1], score[is_batch == 0], alternative="greater").pvalue
    low, high = replicates.quantile(INTERVAL)
    return DomainResult(float(roc_auc_score(is_batch, score)), low, high, float(p_value), is_batch, score)


def bootstrap(
    y: ArrayLike, probability: ArrayLike, seed: int = SEED, cost: ArrayLike | None = None
) -> pd.DataFrame:
    """Return the scores of resampled customers: the sampling distribution of F1, ROC AUC and cost.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1, both of them present.
    probability : array of shape (n_customers,)
        Above 0.5, 1 is predicted.
    seed : int
    cost : array of shape (n_customers,), optional
        The cost of the decision on each customer.

    Returns
    -------
    DataFrame of shape (REPLICATES, 2 or 3)
        Columns ``f1``, ``roc_auc`` and, with ``cost``, the mean ``cost`` per customer.
    """
    order = np.argsort(probability, kind="stable")
    y, probability = np.asarray(y)[order].astype("float64"), np.asarray(probability)[order]
    predicted = (probability > 0.5).astype("float64")
    cost = None if cost is None else np.asarray(cost)[order]
    first = np.flatnonzero(np.append(True, np.diff(probability) > 0))  # of tied scores
    random = np.random.default_rng(seed)
    n, chunks = len(y), []
    for chunk in np.array_split(np.arange(REPLICATES), max(1, REPLICATES * n // 4_000_000)):
        draws = random.poisson(1.0, (len(chunk), n)).astype("float64")  # how often each customer is drawn
        churned, retained = draws * y, draws * (1 - y)
        f1 = 2 * (churned @ predicted) / (draws @ predicted + churned.sum(axis=1))
        tied_churned, tied_retained = (np.add.reduceat(table, first, axis=1) for table in (churned, retained))
        below = np.cumsum(tied_retained, axis=1) - tied_retained / 2
        auc = (tied_churned * below).sum(axis=1) / (churned.sum(axis=1) * retained.sum(axis=1))
        scores = {"f1": f1, "roc_auc": auc}
        if cost is not None:
            scores["cost"] = draws @ cost / draws.sum(axis=1)
        chunks.append(pd.DataFrame(scores))
    return pd.concat(chunks, ignore_index=True)
