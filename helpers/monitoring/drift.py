"""The statistics of drift: how far two samples are apart, and whether that can be chance.

Each function compares a reference with a batch and knows nothing of models, limits or decisions.
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

from helpers.config import CATEGORICAL, FEATURES, NUMERIC, SEED, folds

BINS = 10  # tenths of the reference: what the usual PSI limits were set for
FEW_VALUES = 20  # numbers with no more distinct values are compared value by value
REPLICATES = 400
INTERVAL = [0.025, 0.975]

# The domain classifier learns from at most so many customers of either side: enough to see a difference
# that matters, and a large batch takes no longer.
DOMAIN_ROWS = 4000


def binned_shares(reference: pd.Series, batch: pd.Series) -> pd.DataFrame:
    """Return either side's share in each bin: a category, a number, or a tenth of the reference.

    Parameters
    ----------
    reference, batch : Series
        Missing values are left out; a batch value outside the reference's range falls in the outer bin.

    Returns
    -------
    DataFrame of shape (n_bins, 2)
        Columns ``reference`` and ``batch``, each summing to 1. Half a customer is added to every bin, which
        keeps the PSI finite where a bin is empty.
    """
    sides = {"reference": reference.dropna(), "batch": batch.dropna()}
    known = sides["reference"]
    if pd.api.types.is_numeric_dtype(known) and known.nunique() > FEW_VALUES:
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
        sides = {name: pd.Series(np.searchsorted(edges, values)) for name, values in sides.items()}
    counts = pd.DataFrame({name: values.value_counts() for name, values in sides.items()})
    counts = counts.fillna(0).sort_index() + 0.5
    return counts / counts.sum()


def psi(reference: pd.Series, batch: pd.Series) -> float:
    """Return the population stability index: 0 for equal shares in all bins, 0.25 is large by custom."""
    shares = binned_shares(reference, batch)
    before, now = shares["reference"], shares["batch"]
    return float(((now - before) * np.log(now / before)).sum())


def distribution_p(reference: pd.Series, batch: pd.Series, *, numeric: bool) -> float:
    """Return the p-value of equal distributions: Kolmogorov-Smirnov of numbers, chi-square of categories.

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
    """Return the p-value that a share of customers did not rise: Fisher's exact test, one-sided."""
    table = [[batch, n_batch - batch], [reference, n_reference - reference]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p-values for their number (Holm, 1979): below alpha at most alpha of the families err at all."""
    p = np.asarray(p_values, dtype="float64")
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0)[np.argsort(order)]


@dataclass(frozen=True)
class Domain:
    """How well a classifier tells batch from reference, on customers it has not seen.

    Attributes
    ----------
    auc, low, high : float
        ROC AUC with a 95 % interval; 0.5 means that they can't be told apart. Cross-validation on equal
        samples tends to end a little below.
    p_value : float
        Of no difference.
    is_batch, score : ndarray of shape (n_customers,)
        Where a customer comes from (0 or 1), and the out-of-fold score.
    """

    auc: float
    low: float
    high: float
    p_value: float
    is_batch: np.ndarray
    score: np.ndarray


def domain_classifier(reference: pd.DataFrame, batch: pd.DataFrame) -> Domain:
    """Train a classifier to tell batch from reference and score it out of fold.

    Sees what no single feature shows: combinations. Missing values and new categories are signals to it.

    Parameters
    ----------
    reference, batch : DataFrame
        With the feature columns; at least ``config.FOLDS`` rows each.
    """
    sides = [
        side[FEATURES].sample(min(len(side), DOMAIN_ROWS), random_state=SEED) for side in (reference, batch)
    ]
    is_batch = np.repeat([0, 1], [len(side) for side in sides])
    X = pd.concat(sides, ignore_index=True)
    for name in CATEGORICAL:  # new categories are one signal: the classifier takes at most 255 categories
        X[name] = X[name].where(X[name].isna() | X[name].isin(reference[name].unique()), "new")
    X = X.astype({name: "category" for name in X if name not in NUMERIC})
    model = HistGradientBoostingClassifier(
        max_iter=30,
        max_leaf_nodes=8,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=SEED,
    )
    with threadpool_limits(1):  # so few data: threads that wait for a busy core take ten times as long
        score = cross_val_predict(model, X, is_batch, cv=folds(), method="predict_proba")[:, 1]
    replicates = bootstrap(is_batch, score)["roc_auc"]
    p_value = stats.mannwhitneyu(score[is_batch == 1], score[is_batch == 0], alternative="greater").pvalue
    low, high = replicates.quantile(INTERVAL)
    return Domain(float(roc_auc_score(is_batch, score)), low, high, float(p_value), is_batch, score)


def bootstrap(
    y: ArrayLike, probability: ArrayLike, seed: int = SEED, cost: ArrayLike | None = None
) -> pd.DataFrame:
    """Score resampled customers: what F1, ROC AUC and cost might have been with others like them.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1, some of both.
    probability : array of shape (n_customers,)
        A customer counts as predicted 1 above 0.5.
    seed : int
    cost : array of shape (n_customers,), optional
        What each customer cost.

    Returns
    -------
    DataFrame of shape (REPLICATES, 2 or 3)
        Columns ``f1``, ``roc_auc`` and, if given, ``cost`` (per customer).
    """
    order = np.argsort(probability, kind="stable")
    y, probability = np.asarray(y)[order].astype("float64"), np.asarray(probability)[order]
    predicted = (probability > 0.5).astype("float64")
    cost = None if cost is None else np.asarray(cost)[order]
    first = np.flatnonzero(np.append(True, np.diff(probability) > 0))  # of equal scores
    random = np.random.default_rng(seed)
    n, rows = len(y), []
    for chunk in np.array_split(np.arange(REPLICATES), max(1, REPLICATES * n // 4_000_000)):
        times = random.poisson(1.0, (len(chunk), n)).astype("float64")  # how often each is drawn
        left, stayed = times * y, times * (1 - y)
        f1 = 2 * (left @ predicted) / (times @ predicted + left.sum(axis=1))
        tied_left, tied_stayed = (np.add.reduceat(side, first, axis=1) for side in (left, stayed))
        below = np.cumsum(tied_stayed, axis=1) - tied_stayed / 2
        auc = (tied_left * below).sum(axis=1) / (left.sum(axis=1) * stayed.sum(axis=1))
        scores = {"f1": f1, "roc_auc": auc}
        if cost is not None:
            scores["cost"] = times @ cost / times.sum(axis=1)
        rows.append(pd.DataFrame(scores))
    return pd.concat(rows, ignore_index=True)
