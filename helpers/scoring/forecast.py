"""From scores to expected numbers: how many customers will leave, and what a decision will cost.

A score ranks customers; it need not be a rate. A model that was trained with balanced classes, for one,
scores far above the share that leaves. So scores are calibrated first, on customers whose outcome is known
and whom the model has not seen.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.isotonic import IsotonicRegression

Z = 1.96  # 95 %


def fit_calibration(probability: ArrayLike, left: ArrayLike) -> Callable[[ArrayLike], np.ndarray]:
    """Return what turns scores into rates of leaving: isotonic regression, which keeps the order.

    Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD
    2002.

    Parameters
    ----------
    probability : array of shape (n_known,)
        Scores of customers that the model has not seen, e.g. the hold-out.
    left : array of shape (n_known,)
        0 or 1.
    """
    return IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probability, left).predict


def expected_churn_by_segment(rate: pd.Series, segment: pd.Series) -> pd.DataFrame:
    """Return the share of each segment that is expected to leave.

    Parameters
    ----------
    rate : Series of shape (n_customers,)
        Calibrated.
    segment : Series of shape (n_customers,)

    Returns
    -------
    DataFrame of shape (n_segments, 4)
        ``customers``, ``expected`` (a share), and ``low``, ``high``: between them the share lies in 95 of 100
        such segments, if the rates are right (sum of independent customers, normal approximation).
    """
    variance = rate * (1 - rate)
    table = pd.DataFrame(
        {
            "customers": rate.groupby(segment, observed=True).size(),
            "expected": rate.groupby(segment, observed=True).mean(),
        }
    )
    spread = Z * np.sqrt(variance.groupby(segment, observed=True).sum()) / table["customers"]
    return table.assign(
        low=(table["expected"] - spread).clip(lower=0), high=(table["expected"] + spread).clip(upper=1)
    )


def expected_costs(rate: pd.Series, contact: pd.Series, missed_cost: float, wasted_cost: float) -> pd.Series:
    """Return what a decision is expected to cost, beside the simple ones.

    Parameters
    ----------
    rate : Series of shape (n_customers,)
        Calibrated.
    contact : Series of shape (n_customers,)
        Whom the model's decision contacts.
    missed_cost, wasted_cost : float
        Of a leaver who is not contacted, and of contacting somebody who would have stayed.

    Returns
    -------
    Series
        Of ``contact nobody``, ``contact everybody`` and ``the model's decision``, in the unit of the costs.
    """
    missed, wasted = rate * missed_cost, (1 - rate) * wasted_cost
    return pd.Series(
        {
            "contact nobody": missed.sum(),
            "contact everybody": wasted.sum(),
            "the model's decision": wasted[contact].sum() + missed[~contact].sum(),
        }
    )
