"""Reasons for a score: how much each feature adds to it, whatever the model.

Shapley values by sampling (Strumbelj and Kononenko, "Explaining prediction models and individual predictions
with feature contributions", Knowledge and Information Systems 41, 2014): features are switched, in a random
order, from a known customer's values to the explained one's, and each is given the change of the score that
its switch makes; the mean over many orders and known customers counts. Orders are used forwards and
backwards, which cancels much of the chance (Mitchell et al., "Sampling permutations for Shapley value
estimation", JMLR 23, 2022). The `shap` package (0.51) does it for numbers only: its maskers subtract columns,
text too; and it brings a compiler of 200 MB along.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.config import FEATURES, SEED

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
        With the feature columns; those to explain.
    background : DataFrame of shape (n_known, n_features)
        Known customers, at least one: what the scores are compared with. A spread of them is taken.
    samples : int
        Orders per customer, an even number; the model scores ``samples * (n_features + 1)`` rows for each.
    seed : int

    Returns
    -------
    DataFrame of shape (n_customers, n_features + 1)
        ``base``, the mean score of those taken from the background, then a column per feature. A row sums to
        the customer's own score, exactly.
    """
    if samples < 2 or samples % 2:
        raise ValueError(f"samples must be an even number from 2 on, not {samples}")
    random = np.random.default_rng(seed)
    half = np.array([random.permutation(len(FEATURES)) for _ in range(samples // 2)])
    orders = np.concatenate([half, half[:, ::-1]])
    # Known customers of all scores in equal steps: their mean is close to everybody's.
    ranked = np.argsort(probability(background[FEATURES]), kind="stable")
    steps = (np.arange(samples // 2) + 0.5) / (samples // 2) * len(background)
    drawn = background[FEATURES].iloc[np.tile(ranked[steps.astype(int)], 2)]
    # Row by row of a walk: the background customer, then one more feature switched at each step.
    place = np.argsort(orders, axis=1)  # when each feature is switched
    switched = place[:, None, :] < np.arange(len(FEATURES) + 1)[None, :, None]
    rows = np.repeat(np.arange(samples), len(FEATURES) + 1)
    found = []
    for _, customer in customers[FEATURES].iterrows():
        walk = drawn.iloc[rows].reset_index(drop=True)
        for number, name in enumerate(FEATURES):
            walk.loc[switched[:, :, number].ravel(), name] = customer[name]
        scores = probability(walk).reshape(samples, -1)
        gained = np.diff(scores, axis=1)  # in the order of each walk
        found.append([scores[:, 0].mean(), *np.take_along_axis(gained, place, axis=1).mean(axis=0)])
    return pd.DataFrame(found, index=customers.index, columns=["base", *FEATURES])
