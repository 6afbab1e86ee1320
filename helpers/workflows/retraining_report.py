"""What a retraining did and why: in words, and as a run."""

from dataclasses import dataclass, field

import pandas as pd

from helpers.data import MergedTable
from helpers.monitoring import MonitoringResult
from helpers.tracking import Store

KEPT, PROMOTED, TOO_FEW_OUTCOMES = "kept", "promoted", "too few outcomes"

TITLES = {
    KEPT: "the live model stays",
    PROMOTED: "a new model is live",
    TOO_FEW_OUTCOMES: "drift found, but too few outcomes to learn from",
}


@dataclass(frozen=True)
class RetrainingOutcome:
    """How a batch ended.

    Attributes
    ----------
    result : str
        ``KEPT``, ``PROMOTED`` or ``CANNOT``.
    why : str
        One sentence.
    look : Look
        The monitoring that it began with.
    live_after : int
        Version of ``churn`` that is live now.
    combined : Combined or None
        The table of old and new customers, if one was made.
    candidates, gates : DataFrame or None
        What was compared, and what the gates said of the best, if anything was trained.
    tags : dict
        Further tags of the run.
    """

    result: str
    why: str
    look: MonitoringResult
    live_after: int
    combined: MergedTable | None = None
    candidates: pd.DataFrame | None = None
    gates: pd.DataFrame | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the report."""
        report = self.look.report
        parts = [
            f"# Retraining: {TITLES[self.result]}",
            self.why,
            f"Batch `{self.look.batch_path.name}`: {report.n_customers} customers, of {report.n_outcomes} "
            f"both score and outcome are known. Live before: version {self.look.live.version}; live now: "
            f"version {self.live_after}.",
            f"## Monitoring says: {report.decision}",
            "\n".join(f"- {reason}" for reason in report.reasons),
        ]
        if self.combined:
            parts += ["## Customers", _rows(self.combined)]
        if self.candidates is not None:
            parts += ["## Candidates", _table(self.candidates)]
        if self.gates is not None:
            parts += ["## Gates of the best", _table(self.gates)]
        return "\n\n".join(parts) + "\n"


def log_outcome(store: Store, run_id: str, outcome: RetrainingOutcome) -> None:
    """Log on a run what happened, linked to the monitoring run and to the series that trained."""
    seen, client = outcome.look, store.client
    facts = {
        "outcome": outcome.result,
        "decision": seen.report.decision,
        "live_version": str(seen.live.version),
        "live_after": str(outcome.live_after),
    }
    for key, value in facts.items():
        client.log_param(run_id, key, value)
    for key, value in {**facts, **outcome.tags, "monitoring_run": seen.run_id}.items():
        client.set_tag(run_id, key, value)
    if combined := outcome.combined:
        counts = {"added": combined.added, "replaced": combined.replaced, **combined.dropped}
        for key, value in counts.items():
            client.log_metric(run_id, f"rows/{key.replace(' ', '_')}", value)
    client.log_text(run_id, outcome.markdown(), "report.md")


def _rows(combined: MergedTable) -> str:
    counts = {
        "old customers": combined.kept,
        "new customers": combined.added,
        "of these, left the bank": combined.churned,
        "of these, newer rows of old customers": combined.replaced,
        **{f"left out: {reason}": rows for reason, rows in combined.dropped.items() if rows},
    }
    return _table(pd.DataFrame({"": counts.keys(), "customers": counts.values()}))


def _table(frame: pd.DataFrame) -> str:
    cells = [
        [f"{value:.4f}" if isinstance(value, float) else str(value) for value in row]
        for row in frame.itertuples(index=False)
    ]
    lines = [list(map(str, frame.columns)), ["---"] * frame.shape[1], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
