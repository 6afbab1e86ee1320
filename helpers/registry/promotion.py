"""The promotion decision: carried out only if every gate passed, and logged as a run of its own."""

import json
from dataclasses import asdict, dataclass

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from helpers.errors import SettingError
from helpers.registry.gates import Gate, all_passed
from helpers.registry.production_stage import promote, roll_back
from helpers.registry.stages import archive
from helpers.registry.versions import production_version
from helpers.table import current_table
from helpers.tracking import EDIT, MANAGE, Store, check_rights, log_values, single_run

PROMOTE, ROLLBACK, ARCHIVE, DRY_RUN = ACTIONS = ("promote", "rollback", "archive", "dry_run")


@dataclass(frozen=True)
class PromotionDecision:
    """What was decided.

    Attributes
    ----------
    action : str
        One of ``ACTIONS``.
    challenger : str
        Algorithm of the challenger.
    gates : list of Gate
    production_version : int or None
        Version of ``churn`` in production after the decision.
    production_source : str
        Version that it is a copy of, e.g. ``churn-forest v3``; empty if nothing is in production.
    reason : str
        Why it was decided.
    """

    action: str
    challenger: str
    gates: list[Gate]
    production_version: int | None
    production_source: str
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all_passed(self.gates)

    @property
    def failed_gates(self) -> str:
        """The gates that failed, with their details."""
        return "; ".join(f"{gate.name} ({gate.detail})" for gate in self.gates if not gate.passed)

    def summary(self) -> str:
        """Return the outcome in words."""
        production = f"{current_table().name} version {self.production_version}"
        if self.action == ROLLBACK:
            return f"rolled back: {production} ({self.production_source}) is in production again"
        if self.action == ARCHIVE:
            return f"archived: {self.challenger} is no longer in staging"
        if self.action == DRY_RUN:
            verdict = "pass every gate" if self.passed else f"be rejected: {self.failed_gates}"
            return f"dry run: {self.challenger} would {verdict}"
        if self.passed:
            return f"promoted: {self.challenger} is {production}"
        return f"rejected: {self.challenger} failed {self.failed_gates}"


def decide(
    client: MlflowClient,
    action: str,
    challenger: ModelVersion,
    gates: list[Gate],
    reason: str,
    replaces: str | None = None,
) -> PromotionDecision:
    """Carry out an action on the registry.

    Parameters
    ----------
    client : MlflowClient
    action : str
        ``promote`` the challenger if every gate passed, ``rollback`` to the previous production version,
        ``archive`` the challenger (take it out of staging), or ``dry_run``: change nothing.
    challenger : ModelVersion
        In staging.
    gates : list of Gate
        As `run_gates` returns them for the challenger.
    reason : str
        Recorded on the version that changes its stage.
    replaces : str, optional
        Version in production that the gates compared with, see `promote`.

    Raises
    ------
    SettingError
        If the action is unknown.
    StoreError
        If the user lacks a right: nothing is changed then.
    RegistryError
        If the registry cannot do it; see `promote` and `roll_back`.
    """
    if action not in ACTIONS:
        raise SettingError(f"unknown action {action!r}: choose from {', '.join(ACTIONS)}")
    name, right = (challenger.name, MANAGE) if action == ARCHIVE else (current_table().name, EDIT)
    check_rights(client, {} if action == DRY_RUN else {name: right})
    production: ModelVersion | None
    if action == PROMOTE and all_passed(gates):
        production = promote(client, challenger.name, challenger.version, reason, replaces)
    elif action == ROLLBACK:
        production = roll_back(client, reason)
    else:
        if action == ARCHIVE:
            archive(client, challenger.name, challenger.version, reason)
        production = production_version(client)
    return PromotionDecision(
        action,
        challenger.tags["algorithm"],
        gates,
        int(production.version) if production else None,
        f"{production.tags['source_name']} v{production.tags['source_version']}" if production else "",
        reason,
    )


def log_promotion(store: Store, decision: PromotionDecision, challengers: pd.DataFrame) -> str:
    """Log a decision, with the challengers and the gates, as a run with ``level=promotion``.

    Parameters
    ----------
    store : Store
    decision : PromotionDecision
    challengers : DataFrame
        As `compare_challengers` returns them.

    Returns
    -------
    str
        The run's id.
    """
    params = {
        "action": decision.action,
        "challenger": decision.challenger,
        "gates_passed": decision.passed,
        "production_version": decision.production_version or "none",
        "production_source": decision.production_source or "none",
        "reason": decision.reason,
    }
    gates = json.dumps([asdict(gate) for gate in decision.gates], indent=2)
    with single_run(store, "promotion") as run_id:
        log_values(store, run_id, params=params)
        store.client.log_text(run_id, gates, "gates.json")
        store.client.log_text(run_id, challengers.to_csv(), "challengers.csv")
    return run_id


def read_promotion(run: Run) -> PromotionDecision:
    """Return the decision that `log_promotion` logged."""
    params = run.data.params
    gates = json.loads(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gates.json"))
    version, source = params["production_version"], params["production_source"]
    return PromotionDecision(
        params["action"],
        params["challenger"],
        [Gate(**gate) for gate in gates],
        None if version == "none" else int(version),
        "" if source == "none" else source,
        params.get("reason", ""),
    )
