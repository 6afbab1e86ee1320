"""Reasons for a score: how much each feature adds to it, for any model.

Shapley values by sampling (Strumbelj and Kononenko, "Explaining prediction models and individual predictions
with feature contributions", Knowledge and Information Systems 41, 2014): features are switched in random
order from a background customer's values to the explained customer's, and each is credited with the change
in the score that its switch causes; the mean over many orders and background customers is reported. Every
order is also used in reverse, which reduces the variance (Mitchell et al., "Sampling permutations for Shapley
value estimation", JMLR 23, 2022). The `shap` package (0.51) supports numeric features only, because its
maskers subtract columns, and depends on a compiler of 200 MB.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.config import SEED
from helpers.table import current_table

SAMPLES = 200  # orders, half of them the reverse of the others


def shapley_values(
    probability: Callable[[pd.DataFrame], np.ndarray],
    customers: pd.DataFrame,
    background: pd.DataFrame,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Split every customer's score into what each feature adds to the background's mean score.

    Parameters
    ----------
    probability : callable
        Takes a table of shape (n_rows, n_features), returns probabilities of shape (n_rows,).
    customers : DataFrame of shape (n_customers, n_features)
        The customers to explain, with the feature columns.
    background : DataFrame of shape (n_background, n_features)
        Customers to compare with, at least one; a spread over their scores is used.
    samples : int
        Orders per customer, an even number; the model scores ``samples * (n_features + 1)`` rows for each.
    seed : int

    Returns
    -------
    DataFrame of shape (n_customers, n_features + 1)
        ``base``, the mean score of the background customers used, then a column per feature. A row sums to
        the customer's own score, exactly.
    """
    if samples < 2 or samples % 2:
        raise ValueError(f"samples must be an even number from 2 on, not {samples}")
    steps = _switching_steps(samples, seed)
    features = current_table().feature_names
    start = _spread(probability, background[features], samples // 2)
    start = pd.concat([start, start])  # each order and its reverse start from the same customer
    rows = [_explain(probability, customer, start, steps) for _, customer in customers[features].iterrows()]
    return pd.DataFrame(rows, index=customers.index, columns=["base", *features])


def _switching_steps(samples: int, seed: int) -> np.ndarray:
    """Return the step at which each feature is switched, shape (samples, n_features)."""
    random = np.random.default_rng(seed)
    half = np.array([random.permutation(len(current_table().feature_names)) for _ in range(samples // 2)])
    return np.argsort(np.concatenate([half, half[:, ::-1]]), axis=1)


def _spread(
    probability: Callable[[pd.DataFrame], np.ndarray], background: pd.DataFrame, n: int
) -> pd.DataFrame:
    """Return ``n`` customers at equal steps of the ranking by score: their mean is close to that of all."""
    ranking = np.argsort(probability(background), kind="stable")
    positions = (np.arange(n) + 0.5) / n * len(background)
    return background.iloc[ranking[positions.astype(int)]]


def _explain(
    probability: Callable[[pd.DataFrame], np.ndarray],
    customer: pd.Series,
    start: pd.DataFrame,
    steps: np.ndarray,
) -> list[float]:
    """Return the mean starting score and every feature's mean contribution for one customer."""
    samples, n_features = steps.shape
    # A walk is n_features + 1 rows: the background customer, then one more feature switched in each row.
    switched = steps[:, None, :] < np.arange(n_features + 1)[None, :, None]
    walks = start.iloc[np.repeat(np.arange(samples), n_features + 1)].reset_index(drop=True)
    for number, name in enumerate(current_table().feature_names):
        walks.loc[switched[:, :, number].ravel(), name] = customer[name]
    scores = probability(walks).reshape(samples, n_features + 1)
    changes = np.diff(scores, axis=1)  # in the order of each walk
    return [scores[:, 0].mean(), *np.take_along_axis(changes, steps, axis=1).mean(axis=0)]
