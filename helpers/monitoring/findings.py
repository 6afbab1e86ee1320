"""Findings: what a check measured, from which effect on it matters, and how severe that is."""

from dataclasses import dataclass, replace

from helpers.monitoring import drift

KEEP, WATCH, RETRAIN = "keep", "watch", "retrain"
LEVELS = (KEEP, WATCH, RETRAIN)  # least severe first

# All tests of a batch are adjusted together (Holm), so this is the probability that an unchanged population
# gives any significant finding at all: well below the acceptable false alarm rate of 2%.
SIGNIFICANCE = 0.01

# Effects from which a significant finding means watch, and retrain; by measure.
LIMITS = {
    # Conventional in credit scoring: a moderate and a large shift.
    "PSI": (0.1, 0.25),
    # Share of customers who cannot be scored: 1% is tolerable, 5% is a data-quality incident.
    "share": (0.01, 0.05),
    # At 0.65 the domain classifier ranks two of three pairs of an old and a new customer correctly.
    "ROC AUC": (0.55, 0.65),
    # Of F1 and ROC AUC: about the lead of one algorithm over the next, and over the worst.
    "drop": (0.02, 0.05),
    # Relative, of the cost per customer. A hold-out of 2,000 is itself uncertain by a twentieth, so less than
    # a tenth is noise; a quarter is between a weak concept shift (+20%) and one that breaks F1 (+50%).
    "rise": (0.1, 0.25),
    # Churn rate against the scores: two and five customers in a hundred.
    "difference": (0.02, 0.05),
}

Interval = tuple[float, float]


@dataclass(frozen=True)
class Finding:
    """The result of one check on one subject.

    Attributes
    ----------
    check : str
        ``distribution``, ``missing values``, ``new categories``, ``domain classifier``, ``scores``,
        ``performance`` or ``calibration``.
    subject : str
        The feature, score or metric.
    measure : str
        What ``effect`` is: a key of ``LIMITS``.
    effect : float
    p_value : float
        Under no change.
    text : str
        The result in words and numbers.
    reference, current : float or None
        In the reference (the baseline for performance, the expected rate for calibration) and in the batch,
        where the effect compares two numbers.
    reference_interval, current_interval : tuple of float or None
        Their 95% intervals.
    p_adjusted : float
        ``p_value`` adjusted for all tests of the report.
    level : str
        ``keep``, ``watch`` or ``retrain``.
    """

    check: str
    subject: str
    measure: str
    effect: float
    p_value: float
    text: str
    reference: float | None = None
    current: float | None = None
    reference_interval: Interval | None = None
    current_interval: Interval | None = None
    p_adjusted: float = 1.0
    level: str = KEEP

    @property
    def limits(self) -> tuple[float, float]:
        """Effects from which a significant finding means watch, and retrain."""
        return LIMITS[self.measure]

    @property
    def effect_label(self) -> str:
        """The effect with its measure, short: ``PSI 0.44``, ``missing 25.7%``."""
        names = {"missing values": "missing", "new categories": "new"}
        is_percentage = self.measure in ("share", "difference", "rise")
        effect = f"{self.effect:.1%}" if is_percentage else f"{round(self.effect, 2) + 0:.2f}"  # no -0.00
        return f"{names.get(self.check, self.measure)} {effect}"

    @property
    def reason(self) -> str:
        """The text, with the limit that the effect reached and the adjusted p-value; not for ``keep``."""
        limit = self.limits[LEVELS.index(self.level) - 1]
        p = "< 0.0001" if self.p_adjusted < 0.0001 else f"= {self.p_adjusted:.4f}"
        return f"{self.text} ({self.level} from {limit:g}; adjusted p {p})"


def adjust_and_grade(findings: list[Finding]) -> list[Finding]:
    """Adjust the p-values for the number of findings, and set every level."""
    graded = []
    for finding, p in zip(findings, drift.holm([f.p_value for f in findings]), strict=True):
        reached = sum(finding.effect >= limit for limit in finding.limits) if p < SIGNIFICANCE else 0
        graded.append(replace(finding, p_adjusted=float(p), level=LEVELS[reached]))
    return graded
