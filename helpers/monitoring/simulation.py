"""New customers with one known shift, to see what monitoring makes of it."""

import numpy as np
import pandas as pd

from helpers.data import UNKNOWN, has_generator, make_customers, split, validate
from helpers.eda import feature_strength
from helpers.monitoring.evaluation import TOLERATED
from helpers.table import current_table


def simulate_batch(
    shift: str, strength: float, seed: int, rows: int = 2000, reference: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return new customers with one known shift, ready for `evaluate_batch`.

    They are synthetic where the table has a generator. Else they are held-out customers of the reference, in
    which the strongest features are changed: ``covariate`` raises two numbers, ``concept`` shuffles outcomes,
    ``missing`` and ``category`` blank a number and rename a category.

    Parameters
    ----------
    shift : str
        ``covariate``, ``concept``, ``missing`` or ``category``.
    strength : float
        In [0, 1].
    seed : int
    rows : int
        At most; without a generator there may be fewer held-out customers.
    reference : DataFrame, optional
        The table that the production model was trained on; needed where there is no generator.

    Raises
    ------
    SettingError
        If there is neither a generator nor a reference.
    """
    if reference is None or has_generator():
        batch = validate(make_customers(rows, seed, {shift: strength}), target=False, tolerate=TOLERATED)
        batch.attrs["source"] = f"{rows:,} synthetic customers, {shift}={strength:g}"
        return batch
    parts = split(reference)
    batch = parts.X_test.assign(**{current_table().target_name: parts.y_test.astype("float64")})
    batch = batch.sample(min(rows, len(batch)), random_state=seed)
    _change(batch, shift, strength, np.random.default_rng(seed), list(feature_strength(reference).index))
    batch.attrs["source"] = f"{len(batch):,} held-out customers, {shift}={strength:g}"
    return batch


def _change(
    batch: pd.DataFrame, shift: str, strength: float, random: np.random.Generator, strongest: list[str]
) -> None:
    described = current_table()
    numeric = [name for name in strongest if name in described.numeric]
    categorical = [name for name in strongest if name in described.categorical]
    chosen = random.random(len(batch)) < strength
    if shift == "covariate":
        for name in numeric[:2]:
            _, high = described.bounds(name) or (-np.inf, np.inf)
            step = strength * float(batch[name].quantile(0.9) - batch[name].median())
            batch[name] = (batch[name] + step).clip(upper=high)
    elif shift == "concept":
        outcome = batch[described.target_name].to_numpy(copy=True)
        outcome[chosen] = random.permutation(outcome[chosen])
        batch[described.target_name] = outcome
    elif shift == "missing":
        batch.loc[chosen, numeric[:1]] = np.nan
    else:
        batch.loc[chosen, categorical[:1]] = UNKNOWN
