"""Merge a batch of new customers into the training table, with an account of every dropped row."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data.numbers import is_ambiguous
from helpers.data.schema import as_text
from helpers.errors import DataError, DescriptionError
from helpers.files import begins_with, write_atomically
from helpers.table import current_table, description_path


@dataclass(frozen=True)
class MergedTable:
    """A training table, and where its rows come from.

    Attributes
    ----------
    table : DataFrame of shape (n_customers, n_columns)
        Shuffled, see `merge_batch`.
    kept : int
        Old customers in it.
    added : int
        New customers in it, including those that replace an old row.
    churned : int
        How many of the added customers churned.
    replaced : int
        Customers in both tables: the new row replaces the old one.
    dropped : dict
        Rows of the batch that cannot be trained on, by reason; a row counts for its first reason only.
    """

    table: pd.DataFrame
    kept: int
    added: int
    churned: int
    replaced: int
    dropped: dict[str, int]


def require_key() -> str:
    """Return the column by which tables are merged.

    Raises
    ------
    DescriptionError
        If the table's description has none.
    """
    key = current_table().key
    if key is None:
        raise DescriptionError(
            f"{description_path()} names no key: without one, customers that are also in the old table "
            "cannot be recognized. Add the identifier that is unique as `key`."
        )
    return key


def customer_ids(table: pd.DataFrame) -> pd.Series:
    """Return every row's key as text.

    Raises
    ------
    DataError
        If the table has no such column.
    DescriptionError
        See `require_key`.
    """
    key = require_key()
    if key not in table:
        raise DataError(
            f"{key}: the column is missing. Add it: without it, customers that are also in the old table "
            "cannot be recognized."
        )
    return as_text(table[key])


def merge_batch(old: pd.DataFrame, batch: pd.DataFrame) -> MergedTable:
    """Add the new customers with a known outcome to the old ones; for customers in both, the new row counts.

    The rows are shuffled with a seed derived from the customers: the same customers always give the same
    order, other customers another one. The hold-out is drawn by position; if positions agreed between old
    and merged table, their hold-outs would not be independent, and one class would be over-represented in
    their overlap.

    Parameters
    ----------
    old : DataFrame of shape (n_old, n_columns)
        Validated.
    batch : DataFrame of shape (n_batch, n_columns)
        Validated with ``monitoring.TOLERATED``: values may be missing, categories new.

    Returns
    -------
    MergedTable
        ``RowNumber`` counts from 1. Merging the same batch into the result gives the same table.

    Raises
    ------
    DataError
        If the batch has no key.
    DescriptionError
        See `require_key`.
    """
    ids = customer_ids(batch)
    usable, dropped = _usable_rows(batch, ids)
    replaced = customer_ids(old).isin(ids[usable])
    described = current_table()
    key = require_key()
    table = pd.concat([old[~replaced], batch[usable]], ignore_index=True)[list(old.columns)]
    table[key] = customer_ids(table)
    table = table.astype({described.target_name: "int64"}).sort_values(key)
    seed = int.from_bytes(hashlib.sha256("\n".join(table[key]).encode()).digest()[:4])
    table = table.sample(frac=1, random_state=seed, ignore_index=True)
    for name in old.columns.intersection(described.identifiers):
        if _counts_rows(old[name]):
            table[name] = range(1, len(table) + 1)
    outcome = batch[described.target_name] if described.target_name in batch else pd.Series(0, batch.index)
    return MergedTable(
        table,
        kept=int((~replaced).sum()),
        added=int(usable.sum()),
        churned=int(outcome[usable].sum()),
        replaced=int(replaced.sum()),
        dropped=dropped,
    )


def _counts_rows(identifiers: pd.Series) -> bool:
    """Tell whether a column is nothing but the number of the row."""
    return identifiers.tolist() == [str(number) for number in range(1, len(identifiers) + 1)]


def table_name(sha256: str) -> str:
    """Return the file name of a merged table, e.g. ``customers-0123456789ab.csv``."""
    return f"customers-{sha256[:12]}.csv"


def save_table(table: pd.DataFrame, folder: Path) -> Path:
    """Write a table atomically, the same bytes every time, and name it by its fingerprint.

    Parameters
    ----------
    table : DataFrame
    folder : Path
        Created if missing.

    Returns
    -------
    Path
        ``folder/customers-<first 12 of its sha256>.csv``.
    """
    target = current_table().target
    values = {0: target.negative.value, 1: target.positive.value}
    written = table.assign(**{target.column: table[target.column].map(values)})
    content = written.to_csv(index=False, lineterminator="\n", float_format=_plain_number).encode()
    path = folder / table_name(hashlib.sha256(content).hexdigest())
    write_atomically(path, content, begins_with(",".join(table.columns)))
    return path


def _usable_rows(batch: pd.DataFrame, ids: pd.Series) -> tuple[pd.Series, dict[str, int]]:
    """Return which rows can be trained on, and how many cannot, by reason."""
    described = current_table()
    outcome = batch.get(described.target_name, pd.Series(np.nan, batch.index))
    new_category = pd.Series(False, batch.index)
    for name in described.categorical:
        new_category |= batch[name].notna() & ~batch[name].isin(described.choices(name))
    reasons = {
        "no outcome": outcome.isna(),
        f"no {described.key}": ids.isna(),
        "missing value": batch[described.never_missing].isna().any(axis=1),
        "new category": new_category,
    }
    usable, dropped = pd.Series(True, batch.index), {}
    for reason, rows in reasons.items():
        dropped[reason] = int((usable & rows).sum())
        usable &= ~rows
    return usable, dropped


def _plain_number(number: object) -> str:
    """Write whole numbers without a point, and others so that they read back the same, in one way only."""
    value = float(number)  # type: ignore[arg-type]  # pandas' stubs: any object; it passes floats
    text = str(int(value)) if value.is_integer() else repr(value)
    return f"{text}0" if is_ambiguous(text) else text
