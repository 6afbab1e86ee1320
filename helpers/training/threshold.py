"""The decision threshold: the probability from which a customer is contacted, chosen by cost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from helpers.config import DECISION_THRESHOLD
from helpers.errors import SettingError
from helpers.table import current_table
from helpers.training.costs import Costs, costs_by_threshold, decision_costs

# A threshold that no probability reaches.
ABOVE_ALL_SCORES = float(np.nextafter(1, 2))


@dataclass(frozen=True)
class Threshold:
    """A decision rule and its cost per customer, in the unit of the two given costs.

    Customers with probability >= ``value`` are contacted; a value above 1 means nobody.
    """

    value: float
    missed_cost: float
    wasted_cost: float
    cost: float
    cost_nobody: float
    cost_everybody: float
    cost_half: float

    def metrics(self) -> dict[str, float]:
        """Return the metrics to log on a run."""
        return {
            DECISION_THRESHOLD: self.value,
            "missed_cost": self.missed_cost,
            "wasted_cost": self.wasted_cost,
            "expected_cost": self.cost,
            "expected_cost_nobody": self.cost_nobody,
            "expected_cost_everybody": self.cost_everybody,
        }

    def summary(self) -> str:
        """Return the rule and its alternatives in words."""
        rule = "nobody" if self.value == ABOVE_ALL_SCORES else f"from a probability of {self.value:.3f}"
        return (
            f"contact {rule}: costs {self.cost:.3f} per customer\n"
            f"contact from 0.5: {self.cost_half:.3f}, nobody: {self.cost_nobody:.3f}, "
            f"everybody: {self.cost_everybody:.3f}\n"
            f"(a missed churner costs {self.missed_cost:g}, a wasted contact {self.wasted_cost:g})"
        )


def choose_threshold(
    y: ArrayLike,
    probability: ArrayLike | None,
    *,
    missed_cost: float | None = None,
    wasted_cost: float | None = None,
) -> Threshold:
    """Choose the threshold with the lowest cost on out-of-fold probabilities.

    Every observed probability is tried, and contacting nobody; ties go to the rule that contacts fewest.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1.
    probability : array of shape (n_customers,)
        Out-of-fold probabilities of churn; None if the estimator gives none.
    missed_cost : float, optional
        Cost of a churner who is not contacted; default: the table description's.
    wasted_cost : float, optional
        Cost of contacting a customer who would have stayed; default: the table description's.

    Raises
    ------
    SettingError
        If a cost is out of range, or there are no probabilities.
    """
    described = current_table().costs
    missed_cost = described.missed if missed_cost is None else missed_cost
    wasted_cost = described.wasted if wasted_cost is None else wasted_cost
    Costs.check({"missed_cost": missed_cost, "wasted_cost": wasted_cost})
    if probability is None or np.size(probability) == 0:
        raise SettingError("a threshold needs probabilities: the estimator must have predict_proba")
    thresholds, costs = costs_by_threshold(y, probability, missed_cost, wasted_cost)
    best = int(np.argmin(costs))
    churn_rate = float(np.mean(np.asarray(y)))
    value, cost = float(thresholds[best]), float(costs[best])
    if (nobody := churn_rate * missed_cost) <= cost:
        value, cost = ABOVE_ALL_SCORES, nobody
    return Threshold(
        value=value,
        missed_cost=float(missed_cost),
        wasted_cost=float(wasted_cost),
        cost=cost,
        cost_nobody=nobody,
        cost_everybody=(1 - churn_rate) * wasted_cost,
        cost_half=float(decision_costs(y, probability, 0.5, missed_cost, wasted_cost).mean()),
    )
