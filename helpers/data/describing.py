"""Draft the description of an unknown table: ``churn describe``."""

import os
import re
import unicodedata
from dataclasses import replace

from helpers.data.drafting import draft, is_too_long
from helpers.data.guessing import Column, Guess, guess_role
from helpers.data.guessing_target import guess_target
from helpers.data.paths import data_path
from helpers.data.texts import read_texts
from helpers.errors import DataError, SettingError
from helpers.table import TAKEN


def describe(
    path: str | os.PathLike,
    *,
    target: str | None = None,
    name: str | None = None,
    decimal: str | None = None,
) -> str:
    """Draft a table's description; a guess that a person must check is marked so.

    Parameters
    ----------
    path : path
        The table, as `load` reads it; see ``paths.data_path``.
    target : str, optional
        The column to predict, instead of a guess.
    name : str, optional
        The use case's name, instead of the file's.
    decimal : {"point", "comma"}, optional
        How numbers are read that can be read in two ways.

    Returns
    -------
    str
        YAML, valid as it is: the table can be loaded with it.

    Raises
    ------
    DataError
        If the file cannot be read, or no column can be the target.
    SettingError
        If there is no such target, or the name cannot be one.
    """
    path = data_path(path)
    usable = _name(name or path.name.removesuffix(".gz").rpartition(".")[0])
    if name not in (None, usable):
        raise SettingError(
            "--name must be at most 50 lower-case letters, digits and _, beginning with a letter: "
            f"{usable!r} instead of {name!r}"
        )
    table = read_texts(path, decimal)
    columns = [Column(name, table.iloc[:, at]) for at, name in enumerate(table.columns) if name]
    outcome = guess_target(columns, path.name, target)
    guesses = {
        column: _refuse_name(
            column,
            _refuse_outcome(column, guess_role(column), outcome.column),
            list(table.columns).index(column.name) + 1,
        )
        for column in columns
        if column is not outcome.column
    }
    if not any(guess.is_feature for guess in guesses.values()):
        raise DataError(
            f"{path.name}: beside the target {outcome.column.name!r}, no column can be a feature. "
            "Add some, or name another with --target."
        )
    source = f"{path.name!r}, {len(table):,} rows"
    unnamed = "" in table.columns
    return draft(source, usable, outcome, guesses, unnamed=unnamed, decimal=decimal)


def _name(text: str) -> str:
    """Return the valid name most like a text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).lstrip("_0123456789")[:50].rstrip("_") or "customers"


def _refuse_name(column: Column, guess: Guess, place: int) -> Guess:
    """Leave a feature out if a description cannot have its name."""
    if guess.role == "identifier":
        return guess
    if column.name in TAKEN:
        return replace(guess, left_out="the scores need this name: rename it, also in the table")
    if is_too_long(column.name):
        size = f"{len(column.name):,} characters"
        return Guess(None, left_out=f"the name of column {place} has {size}, too many for YAML: shorten it")
    return guess


def _refuse_outcome(column: Column, guess: Guess, target: Column) -> Guess:
    """Leave a feature out if each of its values comes with one outcome only, in a table large enough."""
    if guess.is_feature:
        outcomes = target.texts.groupby(column.texts).nunique()
        if len(column.texts) >= 10 * len(outcomes) and (outcomes == 1).all():
            return replace(guess, left_out="it tells every row's outcome: is it known only afterwards?")
    return guess
