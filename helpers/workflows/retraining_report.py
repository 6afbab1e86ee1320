"""The outcome of a retraining: as a Markdown report, and on its MLflow run."""

from dataclasses import dataclass, field

import pandas as pd

from helpers.data import MergedTable
from helpers.markdown import markdown_table
from helpers.monitoring import MonitoringResult
from helpers.table import current_table
from helpers.tracking import Store, log_values

KEPT, PROMOTED, TOO_FEW_OUTCOMES = "kept", "promoted", "too few outcomes"

TITLES = {
    KEPT: "the production model is kept",
    PROMOTED: "a new model is in production",
    TOO_FEW_OUTCOMES: "drift found, but too few outcomes to retrain",
}


@dataclass(frozen=True)
class RetrainingOutcome:
    """How the processing of a batch ended.

    Attributes
    ----------
    result : str
        ``KEPT``, ``PROMOTED`` or ``TOO_FEW_OUTCOMES``.
    reason : str
        In one sentence.
    monitoring : MonitoringResult
        What led to it.
    production_version_after : int or None
        The version of ``churn`` in production now.
    merged : MergedTable or None
        The table of old and new customers, if one was built.
    challengers, gates : DataFrame or None
        The versions compared, and the gates of the best one, if any were trained.
    tags : dict
        Further tags of the run.
    """

    result: str
    reason: str
    monitoring: MonitoringResult
    production_version_after: int | None
    merged: MergedTable | None = None
    challengers: pd.DataFrame | None = None
    gates: pd.DataFrame | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the report."""
        report = self.monitoring.report
        parts = [
            f"# Retraining: {TITLES[self.result]}",
            self.reason,
            f"Batch `{self.monitoring.batch_path.name}`: {report.n_customers} customers, {report.n_outcomes} "
            f"with both score and outcome. Production version: {self.monitoring.production.version} before, "
            f"{self.production_version_after} now.",
            f"## Monitoring decision: {report.decision}",
            "\n".join(f"- {reason}" for reason in report.reasons),
        ]
        if self.merged:
            parts += ["## Customers", markdown_table(_row_counts(self.merged))]
        if self.challengers is not None:
            parts += ["## Challengers", markdown_table(self.challengers)]
        if self.gates is not None:
            parts += ["## Gates of the best challenger", markdown_table(self.gates)]
        return "\n\n".join(parts) + "\n"


def log_outcome(store: Store, run_id: str, outcome: RetrainingOutcome) -> None:
    """Log an outcome on a run, with links to the monitoring run and to the workflow that trained."""
    monitoring, merged = outcome.monitoring, outcome.merged
    params = {
        "outcome": outcome.result,
        "decision": monitoring.report.decision,
        "production_version": str(monitoring.production.version),
        "production_version_after": str(outcome.production_version_after),
    }
    counts = {"added": merged.added, "replaced": merged.replaced, **merged.dropped} if merged else {}
    log_values(
        store,
        run_id,
        params=params,
        metrics={f"rows/{name.replace(' ', '_')}": count for name, count in counts.items()},
        tags={**params, **outcome.tags, "monitoring_run": monitoring.run_id},
    )
    store.client.log_text(run_id, outcome.markdown(), "report.md")


def _row_counts(merged: MergedTable) -> pd.DataFrame:
    counts = {
        "old customers": merged.kept,
        "new customers": merged.added,
        f"new customers who {current_table().target.positive.label}": merged.churned,
        "new rows that replace old ones": merged.replaced,
        **{f"dropped: {reason}": rows for reason, rows in merged.dropped.items() if rows},
    }
    return pd.DataFrame({"": counts.keys(), "customers": counts.values()})
