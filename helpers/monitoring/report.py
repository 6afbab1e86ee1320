"""The report on a batch of new customers: the findings, the decision and its reasons."""

import json
from dataclasses import asdict, dataclass, fields

import pandas as pd

from helpers.monitoring.drift import DomainResult
from helpers.monitoring.findings import LEVELS, Finding


@dataclass(frozen=True)
class Report:
    """The result of comparing a batch with the reference.

    Attributes
    ----------
    decision : str
        ``keep``, ``watch`` or ``retrain``.
    reasons : list of str
        Most severe first, then notes on what could not be checked.
    findings : list of Finding
        One per check and subject; empty for a batch too small to judge.
    n_customers, n_scored, n_outcomes : int
        Customers in the batch; those that the model can score; those of them with a known outcome.
    table : DataFrame of shape (n_customers, n_columns)
        The batch with ``probability`` (missing for customers who cannot be scored).
    training : DataFrame
        The features of the reference's training part.
    holdout : DataFrame
        The reference's hold-out, with outcome and ``probability``.
    domain : DomainResult or None
        The scores of the domain classifier.
    """

    decision: str
    reasons: list[str]
    findings: list[Finding]
    n_customers: int
    n_scored: int
    n_outcomes: int
    table: pd.DataFrame
    training: pd.DataFrame
    holdout: pd.DataFrame
    domain: DomainResult | None = None

    def of_check(self, *checks: str) -> list[Finding]:
        """Return the findings of the named checks."""
        return [finding for finding in self.findings if finding.check in checks]

    def summary(self) -> str:
        """Return the decision and its reasons in words."""
        return "\n".join([f"decision: {self.decision}", *(f"  - {reason}" for reason in self.reasons)])

    def frame(self) -> pd.DataFrame:
        """Return the findings as a table, most severe first, then by p-value."""
        table = pd.DataFrame(map(asdict, self.findings), columns=[field.name for field in fields(Finding)])
        order = table.assign(level=-table["level"].map(LEVELS.index)).sort_values(
            ["level", "p_adjusted", "p_value"], kind="stable"
        )
        columns = ["level", "check", "subject", "measure", "effect", "p_value", "p_adjusted", "text"]
        return table.loc[order.index, columns].reset_index(drop=True)

    def to_json(self) -> str:
        """Return decision, reasons, counts and findings as JSON."""
        content = {
            "decision": self.decision,
            "reasons": self.reasons,
            "n_customers": self.n_customers,
            "n_scored": self.n_scored,
            "n_outcomes": self.n_outcomes,
            "findings": [{**asdict(finding), "limits": finding.limits} for finding in self.findings],
        }
        return json.dumps(content, indent=2)
