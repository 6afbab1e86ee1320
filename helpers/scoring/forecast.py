"""From scores to expected numbers: how many customers will churn, and what a decision will cost.

Scores rank customers; they are not calibrated probabilities. A model trained with balanced classes, for
example, scores far above the churn rate. So scores are calibrated first, on customers whose outcome is known
and who were not in the model's training part.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.isotonic import IsotonicRegression

from helpers.eda import FEW, as_groups, bands
from helpers.table import current_table

Z = 1.96  # 95%


def fit_calibration(probability: ArrayLike, churned: ArrayLike) -> Callable[[ArrayLike], np.ndarray]:
    """Return a function from scores to churn rates: isotonic regression, which keeps the order.

    Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
    2002.

    Parameters
    ----------
    probability : array of shape (n_known,)
        Scores of customers that were not in the model's training part, e.g. the hold-out.
    churned : array of shape (n_known,)
        0 or 1.
    """
    return IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probability, churned).predict


def expected_churn_by_segment(
    rate: pd.Series, segment: pd.Series, outcome: pd.Series | None = None
) -> pd.DataFrame:
    """Return each segment's expected churn rate.

    Parameters
    ----------
    rate : Series of shape (n_customers,)
        Calibrated.
    segment : Series of shape (n_customers,)
    outcome : Series of shape (n_customers,), optional
        0 or 1, where it is known already.

    Returns
    -------
    DataFrame of shape (n_segments, 4 or 5)
        ``customers``, ``expected`` (a share), and its 95% interval ``low`` to ``high``, if the rates are
        right (sum of independent customers, normal approximation). With outcomes also ``observed``.
    """
    groups = rate.groupby(segment, observed=True)
    customers, expected = groups.size(), groups.mean()
    variance = (rate * (1 - rate)).groupby(segment, observed=True).sum()
    half_width = Z * np.sqrt(variance) / customers
    table = pd.DataFrame(
        {
            "customers": customers,
            "expected": expected,
            "low": (expected - half_width).clip(lower=0),
            "high": (expected + half_width).clip(upper=1),
        }
    )
    return table if outcome is None else table.assign(observed=outcome.groupby(segment, observed=True).mean())


def segments(customers: pd.DataFrame, strongest: list[str]) -> dict[str, pd.Series]:
    """Return each customer's segment by some features: the description's, or else the three strongest.

    Parameters
    ----------
    customers : DataFrame of shape (n_customers, n_columns)
    strongest : list of str
        Features by their link with the outcome; see `eda.feature_strength`.

    Returns
    -------
    dict
        A series of shape (n_customers,) by feature; numbers with many values are in wide bands.
    """
    described = current_table()
    return {name: _segment(customers[name]) for name in described.segments or strongest[:3]}


def _segment(values: pd.Series) -> pd.Series:
    many = values.name in current_table().numeric and values.nunique() > FEW
    return bands(values, join=2) if many else as_groups(values, most=FEW)


def expected_costs(rate: pd.Series, contact: pd.Series, missed_cost: float, wasted_cost: float) -> pd.Series:
    """Return the expected cost of a decision, beside the simple rules.

    Parameters
    ----------
    rate : Series of shape (n_customers,)
        Calibrated.
    contact : Series of bool, shape (n_customers,)
        The customers that the model's decision contacts.
    missed_cost, wasted_cost : float
        Cost of a false negative (missed churner) and of a false positive (wasted contact).

    Returns
    -------
    Series
        Costs of ``contact nobody``, ``contact everybody`` and ``the model's decision``, in the unit of the
        given costs.
    """
    missed, wasted = rate * missed_cost, (1 - rate) * wasted_cost
    return pd.Series(
        {
            "contact nobody": missed.sum(),
            "contact everybody": wasted.sum(),
            "the model's decision": wasted[contact].sum() + missed[~contact].sum(),
        }
    )
