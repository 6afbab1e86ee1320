"""The probability above which a customer is contacted, chosen for what mistakes cost."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from helpers.errors import SettingError
from helpers.plotting import ACCENT, MUTED, RETAINED, figure
from helpers.training.metrics import decision_costs

# A retention call or voucher is cheap beside the margin of a customer who leaves: five to one is a common
# order of size, and a setting of the training notebook.
MISSED_COST, WASTED_COST = 5.0, 1.0

# A threshold that no probability reaches.
ABOVE_ALL_SCORES = float(np.nextafter(1, 2))


@dataclass(frozen=True)
class Threshold:
    """A decision rule and what it costs per customer, in the unit of the two given costs.

    Contact everybody whose probability is at least ``value``; above 1 that is nobody.
    """

    value: float
    missed_cost: float
    wasted_cost: float
    cost: float
    cost_nobody: float
    cost_everybody: float
    cost_half: float

    def metrics(self) -> dict[str, float]:
        """Return the figures to log on a run."""
        return {
            "decision_threshold": self.value,
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


def check_costs(missed_cost: float, wasted_cost: float) -> None:
    """Raise SettingError if a cost is no positive number: before a search, which would be for nothing."""
    for name, cost in (("missed_cost", missed_cost), ("wasted_cost", wasted_cost)):
        if not 0 < cost < np.inf:
            raise SettingError(f"{name} must be above 0, not {cost}: what does that mistake cost?")


def choose_threshold(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    missed_cost: float = MISSED_COST,
    wasted_cost: float = WASTED_COST,
) -> Threshold:
    """Choose the threshold with the lowest cost on scores of customers that the model had not seen.

    Every observed probability is tried, and contacting nobody; of equally cheap rules the one is taken that
    contacts fewest.

    Parameters
    ----------
    y : array of shape (n_customers,)
        0 or 1.
    probability : array of shape (n_customers,)
        Out-of-fold probabilities of leaving.
    missed_cost : float
        Of a churner who is not contacted.
    wasted_cost : float
        Of contacting a customer who would have stayed.

    Raises
    ------
    ValueError
        If a cost is not positive, or there are no probabilities.
    """
    check_costs(missed_cost, wasted_cost)
    if probability is None or len(probability) == 0:
        raise ValueError("a threshold needs probabilities: the estimator must have predict_proba")
    values, costs = _costs(y, probability, missed_cost, wasted_cost)
    best = int(np.argmin(costs))
    share = float(np.mean(y))
    value, cost = float(values[best]), float(costs[best])
    if (nobody := share * missed_cost) <= cost:
        value, cost = ABOVE_ALL_SCORES, nobody
    return Threshold(
        value=value,
        missed_cost=float(missed_cost),
        wasted_cost=float(wasted_cost),
        cost=cost,
        cost_nobody=nobody,
        cost_everybody=(1 - share) * wasted_cost,
        cost_half=float(decision_costs(y, probability, 0.5, missed_cost, wasted_cost).mean()),
    )


def cost_curve(y: ArrayLike, probability: ArrayLike, threshold: Threshold) -> Figure:
    """Draw the cost per customer over all thresholds, with the chosen one and 0.5."""
    values, costs = _costs(y, probability, threshold.missed_cost, threshold.wasted_cost)
    fig, ax = figure(width=6.5, height=3.8)
    ax.plot(values, costs, color=RETAINED, drawstyle="steps-post")
    ax.axhline(threshold.cost_nobody, color=MUTED, ls=":", label="contact nobody")
    ax.axhline(threshold.cost_everybody, color=MUTED, ls="--", label="contact everybody")
    ax.scatter(min(threshold.value, 1), threshold.cost, color=ACCENT, zorder=3, s=60, label="chosen")
    ax.scatter(0.5, threshold.cost_half, color=MUTED, zorder=3, marker="x", label="0.5")
    ax.set(xlabel="contact from this probability on", ylabel="cost per customer", xlim=(0, 1))
    saved = min(threshold.cost_nobody, threshold.cost_everybody) - threshold.cost
    ax.set_title(f"The model saves {saved:.3f} per customer at a threshold of {threshold.value:.2f}")
    ax.legend(frameon=False, ncols=2)
    return fig


def _costs(
    y: ArrayLike, probability: ArrayLike, missed_cost: float, wasted_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct probabilities, falling, and the cost per customer of contacting from each on."""
    order = np.argsort(-np.asarray(probability), kind="stable")
    p, left = np.asarray(probability)[order], np.asarray(y)[order]
    last = np.flatnonzero(np.append(np.diff(p) != 0, True))
    found, contacted = np.cumsum(left)[last], last + 1
    cost = (left.sum() - found) * missed_cost + (contacted - found) * wasted_cost
    return p[last], cost / len(p)
