"""Score a file of customers with the production model."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import DECISION_THRESHOLD, NEW_CUSTOMERS
from helpers.data import data_path, load
from helpers.errors import DataError
from helpers.files import write_atomically
from helpers.registry import CONTACT, ProductionModel
from helpers.scoring.scores_csv import to_csv
from helpers.tracking import Store, log_dataset, log_values, single_run


@dataclass(frozen=True)
class ScoredFile:
    """The result of scoring a file.

    Attributes
    ----------
    customers : DataFrame of shape (n_customers, n_columns)
        As read from the file.
    scores : DataFrame of shape (n_customers, 4)
        See `score_customers`.
    path : Path
        Where the scores were written.
    run_id : str
        The run with ``level=scoring``.
    """

    customers: pd.DataFrame
    scores: pd.DataFrame
    path: Path
    run_id: str


def score_customers(model: ProductionModel, customers: pd.DataFrame) -> pd.DataFrame:
    """Score validated customers.

    Returns
    -------
    DataFrame of shape (n_customers, 4)
        ``customer`` (``CustomerId`` as text, or the line of the file if there is none), ``probability``,
        ``decision`` and ``model_version``, in the customers' order.
    """
    names = customers["CustomerId"] if "CustomerId" in customers else customers.index + 2
    columns = ["customer", "probability", "decision", "model_version"]
    return model.score(customers).assign(customer=names)[columns]


def score_file(
    store: Store, model: ProductionModel, batch: str | Path | None = None, out: str | Path = "scores.csv"
) -> ScoredFile:
    """Score a CSV, write the scores to another one, and log a run with ``level=scoring``.

    Parameters
    ----------
    store : Store
    model : ProductionModel
    batch : path, optional
        A CSV with the ten features; identifiers and the outcome are optional. None for the embedded
        ``data/new_customers.csv``.
    out : path
        Written completely or not at all; its folder is created if missing. Not the batch.

    Raises
    ------
    DataError
        If the batch cannot be used (the message lists every problem), or if ``out`` is the batch. Nothing is
        written then.
    """
    source, target = data_path(batch or NEW_CUSTOMERS), Path(out)
    if target.exists() and target.samefile(source):
        raise DataError(f"out: {target} is the batch itself. Write the scores to another file.")
    customers = load(source, target=False)
    scores = score_customers(model, customers)
    with single_run(store, "scoring", {"production_version": str(model.version)}) as run_id:
        write_atomically(target, to_csv(scores))
        log_dataset(store, run_id, customers, source, "scoring")
        log_values(store, run_id, metrics={**_metrics(scores), DECISION_THRESHOLD: model.threshold})
        store.client.log_artifact(run_id, str(target))
    return ScoredFile(customers, scores, target, run_id)


def _metrics(scores: pd.DataFrame) -> dict[str, float]:
    contacted = scores["decision"].eq(CONTACT)
    return {
        "n_customers": len(scores),
        "n_contacted": contacted.sum(),
        "contacted_share": contacted.mean(),
        "probability_mean": scores["probability"].mean(),
    }
