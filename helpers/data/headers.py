"""The header of a table: what is between its names, and which columns of the description they are."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from helpers.data.lines import DELIMITERS
from helpers.errors import DataError
from helpers.table import TableDescription

_SEPARATOR = re.compile(r'"?sep=(.)"?\1*', re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """Where a table's columns are.

    Attributes
    ----------
    names : list of str
        As the file has them.
    columns : list of str or None
        At each place, the column of the description; None for one that it does not have.
    assumed : list of str
        Names that differ in case, blanks and the like only, as ``age as Age``.
    """

    names: list[str]
    columns: list[str | None]
    assumed: list[str]


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a field has more characters than any name
        return []


def stated_delimiter(name: str, line: str) -> str | None:
    """Return what Excel's first line ``sep=;`` states, or None if it is another line.

    Raises
    ------
    DataError
        If it is none of `DELIMITERS`.
    """
    match = _SEPARATOR.fullmatch(line.rstrip(" "))
    if match and match[1] not in DELIMITERS:
        raise DataError(
            f"{name}: {line!r} states none of {', '.join(DELIMITERS.values())}. Correct or remove it."
        )
    return match[1] if match else None


def find_columns(name: str, names: Sequence[str], described: TableDescription) -> Header:
    """Find the description's columns among a file's: by name, by `renames`, else by a name that is alike.

    Raises
    ------
    DataError
        If a column is there twice.
    """
    stated = [described.renames.get(each, each) for each in names]
    columns = [each if each in described.columns else None for each in stated]
    absent, assumed = [each for each in described.columns if each not in columns], []
    for wanted in absent:
        alike = [
            place
            for place, given in enumerate(names)
            if columns[place] is None and _essence(given) == _essence(wanted) != ""
        ]
        if len(alike) > 1:
            several = " and ".join(repr(names[place]) for place in alike)
            raise DataError(
                f"{name}: columns {several} may both be {wanted}. "
                "Keep one, or name the right one under renames in the table's description."
            )
        if alike and sum(_essence(each) == _essence(wanted) for each in absent) == 1:
            columns[alike[0]] = wanted
            assumed.append(f"{names[alike[0]]} as {wanted}")
    refuse_duplicates(name, [column for column in columns if column])
    return Header(list(names), columns, assumed)


def refuse_duplicates(name: str, columns: Iterable[str]) -> None:
    """Raise a `DataError` if the header names a column twice."""
    columns = list(columns)
    if duplicates := sorted({column for column in columns if columns.count(column) > 1}):
        raise DataError(f"{name}: duplicate column {', '.join(duplicates)} in the header. Keep one.")


def _essence(name: str) -> str:
    """Return what two names that are alike share: letters and digits, in lower case."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in plain if character.isalnum())
