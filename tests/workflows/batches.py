"""Tables of new customers on disk, and what a retraining leaves in the store."""

from pathlib import Path

from helpers.data import make_customers
from helpers.tracking import Store, search_runs
from tests.support.bank import TARGET


def write_batch(path: Path, rows: int = 2000, seed: int = 50, outcomes: bool = True, **shift: float) -> Path:
    table = make_customers(rows, seed, shift)
    (table if outcomes else table.drop(columns=TARGET)).to_csv(path, index=False)
    return path


def runs(store: Store, level: str) -> list:
    return search_runs(store.client, store.experiment_id, f"tags.level = '{level}'")


def assert_consistent(store: Store) -> None:
    """Assert that no run is left running, and that every alias agrees with its version's stage."""
    assert search_runs(store.client, store.experiment_id, "attributes.status = 'RUNNING'") == []
    for name in ("churn", "churn-logreg", "churn-tree"):
        for alias, version in store.client.get_registered_model(name).aliases.items():
            assert store.client.get_model_version(name, version).tags["stage"] == alias
