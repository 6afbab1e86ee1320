"""Old customers and new ones in one table to train on, and what became of every row."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import CATEGORICAL, FEATURES, TARGET
from helpers.data.schema import CHOICES, COLUMNS
from helpers.errors import DataError
from helpers.files import write_atomically


@dataclass(frozen=True)
class MergedTable:
    """A table to train on, and how it came about.

    Attributes
    ----------
    table : DataFrame of shape (n_customers, 14)
        Shuffled, see `combine`.
    kept : int
        Old customers in it.
    added : int
        New customers in it, those who replace an old row included.
    churned : int
        How many of the added customers churned.
    replaced : int
        Customers who were in both tables: the new row counts.
    dropped : dict
        Rows of the batch that can't be trained on, by reason; a row counts for its first reason only.
    """

    table: pd.DataFrame
    kept: int
    added: int
    churned: int
    replaced: int
    dropped: dict[str, int]


def customer_ids(table: pd.DataFrame) -> pd.Series:
    """Return every row's ``CustomerId`` as text, the same whether the column was read as whole or decimal.

    Raises
    ------
    DataError
        If the column is missing, or a number is not whole.
    """
    if "CustomerId" not in table:
        raise DataError(
            "CustomerId: the column is missing. Add it: without it nobody can tell whether a customer is in "
            "the old table, too."
        )
    ids = table["CustomerId"]
    if pd.api.types.is_numeric_dtype(ids):
        if len(broken := ids[ids % 1 > 0]):
            raise DataError(
                f"CustomerId: {broken.iloc[0]} is not a whole number. Correct the {len(broken)} rows."
            )
        ids = ids.astype("Int64")
    return ids.astype("string")


def merge_batch(old: pd.DataFrame, batch: pd.DataFrame) -> MergedTable:
    """Add the new customers whose outcome is known to the old ones; of customers in both the new row counts.

    The rows are shuffled, in the same way for the same rows and in another one for others: the hold-out is
    drawn by position, and tables whose positions agree would get hold-outs that are not independent. Of one
    class more customers would be held out again than of the other.

    Parameters
    ----------
    old : DataFrame of shape (n_old, 14)
        Validated.
    batch : DataFrame of shape (n_batch, n_columns)
        Validated with ``monitoring.TOLERATED``: values may be missing, categories new.

    Returns
    -------
    Combined
        ``RowNumber`` counts from 1. Combining the result with the same batch again gives the same table.

    Raises
    ------
    DataError
        If the batch has no ``CustomerId``, or one that is not whole.
    """
    ids = customer_ids(batch)
    outcome = batch[TARGET] if TARGET in batch else pd.Series(float("nan"), batch.index)
    reasons = {
        "no outcome": outcome.isna(),
        "no CustomerId": ids.isna(),
        "missing value": batch[FEATURES].isna().any(axis=1),
        "new category": ~pd.concat([batch[name].isin(CHOICES[name]) for name in CATEGORICAL], axis=1).all(
            axis=1
        ),
    }
    usable, dropped = pd.Series(True, batch.index), {}
    for reason, rows in reasons.items():
        dropped[reason] = int((usable & rows).sum())
        usable &= ~rows
    known = customer_ids(old).isin(ids[usable])
    table = pd.concat([old[~known], batch[usable]], ignore_index=True).reindex(columns=COLUMNS)
    table = table.assign(CustomerId=customer_ids(table)).astype({TARGET: "int64"}).sort_values("CustomerId")
    seed = int.from_bytes(hashlib.sha256("\n".join(table["CustomerId"]).encode()).digest()[:4])
    table = table.sample(frac=1, random_state=seed, ignore_index=True)
    table["RowNumber"] = range(1, len(table) + 1)
    added, churned = int(usable.sum()), int(outcome[usable].sum())
    return MergedTable(table, int((~known).sum()), added, churned, int(known.sum()), dropped)


def table_name(sha256: str) -> str:
    """Return the file name of a combined table, e.g. ``customers-0123456789ab.csv``."""
    return f"customers-{sha256[:12]}.csv"


def save_table(table: pd.DataFrame, folder: Path) -> Path:
    """Write a table under its fingerprint's name, the same bytes every time, whole or not at all.

    Parameters
    ----------
    table : DataFrame
    folder : Path
        Made if missing.

    Returns
    -------
    Path
        ``folder/customers-<first 12 of its sha256>.csv``.
    """
    content = table.to_csv(index=False, lineterminator="\n", float_format=_plain).encode()
    target = folder / table_name(hashlib.sha256(content).hexdigest())
    write_atomically(target, content)
    return target


def _plain(number: float) -> str:
    """Write whole numbers without a point, and others so that they read back the same."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))
