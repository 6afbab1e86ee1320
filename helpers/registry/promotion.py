"""The record of a registry decision: a run of its own, beside the training runs."""

import json
from dataclasses import asdict

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from helpers.registry.gates import Gate, all_passed
from helpers.tracking import Store, single_run


def log_promotion(
    store: Store,
    action: str,
    candidate: str,
    gates: list[Gate],
    table: pd.DataFrame,
    live: ModelVersion | None,
) -> str:
    """Log what was compared, what the gates said and what is live now, as a run with ``level=promotion``.

    Parameters
    ----------
    store : Store
    action : str
        ``promote``, ``rollback`` or ``look``.
    candidate : str
        Algorithm that was put forward.
    gates : list of Gate
    table : DataFrame
        The candidates, as `candidates.compare_challengers` returns them.
    live : ModelVersion or None
        After the decision.

    Returns
    -------
    str
        The run's id.
    """
    with single_run(store, "promotion") as run_id:
        params = {
            "action": action,
            "candidate": candidate,
            "gates_passed": all_passed(gates),
            "live_version": live.version if live else "none",
            "live_source": f"{live.tags['source_name']} v{live.tags['source_version']}" if live else "none",
        }
        for key, value in params.items():
            store.client.log_param(run_id, key, value)
        store.client.log_text(run_id, json.dumps([asdict(gate) for gate in gates], indent=2), "gates.json")
        store.client.log_text(run_id, table.to_csv(), "candidates.csv")
    return run_id
