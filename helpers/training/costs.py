"""What wrong decisions cost: a missed churner, and a wasted contact with a customer who would have stayed."""

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from helpers.settings import Settings

# As parameters, and as metrics of the run that chose the threshold.
COST_NAMES = ("missed_cost", "wasted_cost")

# In any currency's smallest unit, and with no digit lost in a sum over customers.
Cost = Annotated[
    float, Field(ge=1e-6, le=1e12, allow_inf_nan=False, description="a number from 1e-6 to 1e12")
]


class Costs(Settings):
    """The two costs, as settings."""

    missed_cost: Cost
    wasted_cost: Cost


def decision_costs(
    y: ArrayLike, probability: ArrayLike, threshold: float, missed_cost: float, wasted_cost: float
) -> np.ndarray:
    """Return the cost of each customer's decision, given the outcome.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1.
    probability : array of shape (n_customers,)
        Of churn.
    threshold : float
        Customers with probability >= threshold are contacted.
    missed_cost, wasted_cost : float
        Cost of a churner who is not contacted, and of contacting a customer who would have stayed.

    Returns
    -------
    ndarray of shape (n_customers,)
        Its mean is the cost per customer, in the unit of the two costs.
    """
    outcome, contact = np.asarray(y), np.asarray(probability) >= threshold
    return np.where(contact, (1 - outcome) * wasted_cost, outcome * missed_cost)


def costs_by_threshold(
    y: ArrayLike, probability: ArrayLike, missed_cost: float, wasted_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct probabilities, descending, and the cost per customer with each as threshold.

    Parameters
    ----------
    y, probability, missed_cost, wasted_cost
        See `decision_costs`.
    """
    order = np.argsort(-np.asarray(probability), kind="stable")
    descending, churned = np.asarray(probability)[order], np.asarray(y)[order]
    last_of_ties = np.flatnonzero(np.append(np.diff(descending) != 0, True))
    contacted_churners, contacted = np.cumsum(churned)[last_of_ties], last_of_ties + 1
    cost = (churned.sum() - contacted_churners) * missed_cost
    cost = cost + (contacted - contacted_churners) * wasted_cost
    return descending[last_of_ties], cost / len(descending)
