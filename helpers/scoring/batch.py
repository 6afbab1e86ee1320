"""Score a file of customers with the live model.

    python -m helpers.scoring.batch --batch new.csv --out scores.csv

The result has a line per customer: who, the probability of leaving, the decision, the version that said so.
"""

import argparse
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import NEW_CUSTOMERS
from helpers.data import DataError, data_path, load
from helpers.registry import CONTACT, ProductionModel, RegistryError, load_production_model
from helpers.tracking import Store, StoreError, connect, log_dataset, single_run


@dataclass(frozen=True)
class ScoredFile:
    """A file that was scored.

    Attributes
    ----------
    customers : DataFrame of shape (n_customers, n_columns)
        As they were read.
    scores : DataFrame of shape (n_customers, 4)
        See `score`.
    path : Path
        Where the scores were written.
    run_id : str
        The run with ``level=scoring``.
    """

    customers: pd.DataFrame
    scores: pd.DataFrame
    path: Path
    run_id: str


def score_customers(live: ProductionModel, customers: pd.DataFrame) -> pd.DataFrame:
    """Score validated customers.

    Returns
    -------
    DataFrame of shape (n_customers, 4)
        ``customer`` (``CustomerId``, or the line of the file where there is none), ``probability``,
        ``decision`` and ``model_version``, in the customers' order.
    """
    who = customers["CustomerId"] if "CustomerId" in customers else customers.index + 2
    return live.score(customers).assign(customer=who)[
        ["customer", "probability", "decision", "model_version"]
    ]


def score_file(
    store: Store, live: ProductionModel, batch: str | Path | None = None, out: str | Path = "scores.csv"
) -> ScoredFile:
    """Score a CSV into another one, and log that as a run with ``level=scoring``.

    Parameters
    ----------
    store : Store
    live : ProductionModel
    batch : path, optional
        A CSV with the ten features; identifiers and the outcome may be there. None for the embedded
        ``data/new_customers.csv``.
    out : path
        Written whole or not at all; its folder is made if missing. Not the batch.

    Raises
    ------
    DataError
        If the batch can't be used; the message lists every problem. Nothing is written then. Or if ``out``
        is the batch.
    """
    source, target = data_path(batch or NEW_CUSTOMERS), Path(out)
    if target.exists() and target.samefile(source):
        raise DataError(f"out: {target} is the batch itself. Give the scores a name of their own.")
    customers = load(source, target=False)
    scores = score_customers(live, customers)
    with single_run(store, "scoring", {"live_version": str(live.version)}) as run_id:
        write(scores, target)
        log_dataset(store, run_id, customers, source, "scoring")
        contacted = scores["decision"].eq(CONTACT)
        metrics = {
            "n_customers": len(scores),
            "n_contacted": contacted.sum(),
            "contacted_share": contacted.mean(),
            "probability_mean": scores["probability"].mean(),
            "decision_threshold": live.threshold,
        }
        for name, value in metrics.items():
            store.client.log_metric(run_id, name, float(value))
        store.client.log_artifact(run_id, str(target))
    return ScoredFile(customers, scores, target, run_id)


def write(scores: pd.DataFrame, target: Path) -> None:
    """Write a CSV under a name of its own and put it into place at once: no reader sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", newline="") as file:
            scores.to_csv(file, index=False, lineterminator="\n")
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def main(arguments: list[str] | None = None) -> int:
    """Score from the command line; return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--batch", help="a CSV of customers (default: the embedded data/new_customers.csv)")
    cli.add_argument("--out", required=True, help="the CSV to write")
    options = cli.parse_args(arguments)
    if options.batch == "":
        cli.error("--batch is empty: give a CSV of customers, or leave it out")
    try:
        store = connect()
        live = load_production_model(store.client)
        scored = score_file(store, live, options.batch, options.out)
    except (DataError, RegistryError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    contacted = scored.scores["decision"].eq(CONTACT).sum()
    count = f"{len(scored.scores)} customers scored by churn version {live.version}"
    print(f"{count}, {contacted} to contact: {scored.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
