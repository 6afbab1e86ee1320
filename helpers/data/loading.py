"""Read the CSV of customers, validate it, split it."""

import csv
import io
import os
import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sklearn.model_selection import train_test_split

from helpers.config import SEED, TEST_SIZE
from helpers.data.decoding import decode
from helpers.data.lines import numbered_records
from helpers.data.paths import data_path, source_name
from helpers.data.schema import validate
from helpers.errors import DataError
from helpers.table import current_table

# How pandas and many programs write a missing value.
MISSING_TEXTS = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "#NA"]
OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class Split(NamedTuple):
    """The training part and the hold-out; ``X_*`` have ``TableDescription.feature_names`` as columns."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series
    y_test: pd.Series


def read_csv(path: str | os.PathLike, *, multiline: bool = False) -> pd.DataFrame:
    """Read a comma-separated UTF-8 file; ``schema.validate`` checks the values.

    Parameters
    ----------
    path : path
        LF or CRLF line ends, with or without a byte order mark.
    multiline : bool
        Whether a quoted value may contain line breaks.

    Returns
    -------
    DataFrame
        One row per customer; row ``i`` of the index begins on line ``i + 2`` of the file. Identifiers are
        text, character for character.

    Raises
    ------
    DataError
        If it is empty, not text, not comma-separated or has no header, if a line is cut off or has too many
        fields, or if a quote is not closed.
    """
    path = Path(path)
    return read_csv_text(path.name, read_bytes(path), multiline=multiline)


def read_csv_text(name: str, content: bytes, *, multiline: bool = False) -> pd.DataFrame:
    """Read the bytes of a CSV; ``name`` is what to call them in an error. See `read_csv`."""
    text = decode(name, content)
    types = _types(_check_header(name, text))
    text, lines = numbered_records(name, text, multiline)
    table = parse(name, text, lines, types)
    if not text.endswith(("\n", "\r")):
        _check_end(name, table, lines[-1])
    return table


def load(
    data: str | os.PathLike | None = None, *, target: bool = True, tolerate: Collection[str] = ()
) -> pd.DataFrame:
    """Find, read, check and cast the customers.

    Parameters
    ----------
    data : path, optional
        See ``paths.data_path``.
    target, tolerate
        See ``schema.validate``.

    Returns
    -------
    DataFrame
        See ``schema.validate``; indexed as by `read_csv`. ``attrs["source"]`` names the file, for the
        captions of plots.

    Raises
    ------
    DataError
        If the file cannot be used; one message lists every problem.
    """
    path = data_path(data)
    lines = read_csv(path)
    table = validate(lines, target=target, tolerate=tolerate, source=path.name).set_index(lines.index)
    if target and (key := current_table().key) and key not in table:
        warnings.warn(f"{path.name} has no {key}: duplicate customers cannot be found.", stacklevel=2)
    table.attrs["source"] = source_name(path)
    return table


def split(df: pd.DataFrame) -> Split:
    """Split a validated table: 80% to train on, 20% held out, stratified, the same every time."""
    described = current_table()
    X, y = df[described.feature_names], df[described.target_name]
    return Split(*train_test_split(X, y, test_size=TEST_SIZE, stratify=y, random_state=SEED))


def missing_values() -> list[str]:
    """Return how a missing value may be written: not as one of the table's own categories, e.g. ``None``."""
    described = current_table()
    own = {value for name in described.categorical for value in described.choices(name)}
    return [text for text in MISSING_TEXTS if text not in own]


def read_bytes(path: Path) -> bytes:
    """Return a file's content, or raise a `DataError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from None


def first_line(text: str) -> str:
    """Return the line that should be the header."""
    return re.split("[\r\n]", text, maxsplit=1)[0]


def header_of(text: str) -> list[str]:
    """Return the fields of the first line."""
    try:
        return next(csv.reader([first_line(text)]), [])
    except csv.Error:  # more characters than any header has
        return []


def separated_by(name: str, delimiter: str) -> DataError:
    """Describe a file whose header has another of the `OTHER_DELIMITERS`."""
    found = OTHER_DELIMITERS[delimiter]
    return DataError(f"{name} is separated by {found}. Save it with commas (and decimal points).")


def refuse_duplicates(name: str, columns: list[str]) -> None:
    """Raise a `DataError` if the header names a column twice."""
    if duplicates := sorted({column for column in columns if columns.count(column) > 1}):
        raise DataError(f"{name}: duplicate column {', '.join(duplicates)} in the header. Keep one.")


def parse(name: str, text: str, lines: list[int], types: dict[str, Any]) -> pd.DataFrame:
    """Parse records, given the lines on which they begin and pandas' options for types and missing values."""
    content = io.BytesIO(text.encode())
    try:
        table = pd.read_csv(
            content, index_col=False, skip_blank_lines=False, keep_default_na=False, low_memory=False, **types
        )
    except pd.errors.ParserError as error:
        raise DataError(f"{name} is not a well-formed CSV: {str(error).strip()}.") from None
    if len(lines) != len(table) + 1:
        raise DataError(f"{name}: {len(lines) - 1} lines were read as {len(table)} rows.")
    if lines[-1] > len(lines):  # blank lines, or values with line breaks
        table.index = pd.Index(lines[1:]) - 2
    return table


def _types(header: list[str]) -> dict[str, Any]:
    """Return how to read the columns; an identifier is missing only where nothing is, so NA stays a name."""
    described, missing = current_table(), missing_values()
    texts = [*described.identifiers, *described.categorical]
    if not described.target.is_coded:
        texts.append(described.target_name)
    empty = {name: [""] if name in described.identifiers else missing for name in header}
    return {"dtype": dict.fromkeys(texts, "str"), "na_values": empty}


def _check_end(name: str, table: pd.DataFrame, line: int) -> None:
    """Refuse or tell what may be a file that was cut off within its last value."""
    last = table.iloc[-1:, -1]
    if last.isna().all() and table.iloc[:, -1].notna().any():
        raise DataError(
            f"{name}: the last line ({line}) has neither a last value nor a line end: the file was cut off. "
            "Export or copy it again; if it is complete, add a line end."
        )
    whole = (*current_table().binary, current_table().target_name)  # values that are whole or missing
    if len(last) and table.columns[-1] not in whole:
        warnings.warn(
            f"{name} has no line end after its last value (line {line}: {last.iloc[0]}). If the file was cut "
            "off there, the value is wrong: compare it with the source.",
            stacklevel=4,
        )


def _check_header(name: str, text: str) -> list[str]:
    """Return the first line's columns: those of the table, each once, separated by commas, and others."""
    names, expected = header_of(text), current_table().columns
    columns = [column for column in names if column in expected]
    refuse_duplicates(name, columns)
    if columns:
        return names
    header = first_line(text)
    for delimiter in OTHER_DELIMITERS:
        if set(header.split(delimiter)) & set(expected):
            raise separated_by(name, delimiter)
    raise DataError(
        f"{name} does not start with the header of a customer table. Its first line is {header[:80]!r}; "
        f"expected {','.join(expected)}."
    )
