"""Score a file of customers with the production model."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import NEW_CUSTOMERS
from helpers.data import data_path, load
from helpers.errors import DataError
from helpers.files import write_atomically
from helpers.registry import CONTACT, ProductionModel
from helpers.tracking import Store, log_dataset, single_run


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
        write_atomically(target, scores.to_csv(index=False, lineterminator="\n").encode())
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
