"""What a batch of new customers says about the live model: the findings, the decision and its reasons."""

import json
from dataclasses import asdict, dataclass

import pandas as pd

from helpers.monitoring import drift
from helpers.monitoring.checks import LEVELS, Finding


@dataclass(frozen=True)
class Report:
    """What a batch says about the live model.

    Attributes
    ----------
    decision : str
        ``keep``, ``watch`` or ``retrain``.
    reasons : list of str
        Why, the gravest first.
    findings : list of Finding
        Every check that was made; empty for a batch too small to tell.
    n_customers, n_scored, n_outcomes : int
        In the batch, of those that the model can score, of those with a known outcome.
    table : DataFrame of shape (n_customers, n_columns)
        The batch with ``probability`` (missing where it can't be scored).
    holdout : DataFrame
        The reference's hold-out, likewise.
    domain : drift.Domain or None
        Scores of the domain classifier.
    """

    decision: str
    reasons: list[str]
    findings: list[Finding]
    n_customers: int
    n_scored: int
    n_outcomes: int
    table: pd.DataFrame
    holdout: pd.DataFrame
    domain: drift.Domain | None = None

    def summary(self) -> str:
        """Return the decision and its reasons in words."""
        return "\n".join([f"decision: {self.decision}", *(f"  - {reason}" for reason in self.reasons)])

    def frame(self) -> pd.DataFrame:
        """Return the findings as a table, the gravest first, then the least likely to be chance."""
        table = pd.DataFrame(map(asdict, self.findings), columns=list(Finding.__dataclass_fields__))
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
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(content, indent=2)
