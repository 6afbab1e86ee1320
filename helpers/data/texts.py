"""Read a CSV that no description knows yet, every value as it is written."""

from pathlib import Path

import pandas as pd

from helpers.data.decoding import decode
from helpers.data.lines import numbered_records
from helpers.data.loading import (
    OTHER_DELIMITERS,
    header_of,
    parse,
    read_bytes,
    refuse_duplicates,
    separated_by,
)
from helpers.errors import DataError


def read_texts(path: Path) -> pd.DataFrame:
    """Read a table as strictly as ``loading.read_csv``, but any columns, and nothing is a number or missing.

    Raises
    ------
    DataError
        As from ``loading.read_csv``; also if the first line is no header of two or more columns, or if there
        are no rows below it.
    """
    name, text = path.name, decode(path.name, read_bytes(path))
    header = header_of(text)
    _check_header(name, header)
    text, lines = numbered_records(name, text)
    table = parse(name, text, lines, {"dtype": "str"}).set_axis(header, axis="columns")
    if table.empty:
        raise DataError(f"{name}: there are no rows below the header.")
    return table


def _check_header(name: str, header: list[str]) -> None:
    if len(header) < 2:
        line = header[0] if header else ""
        for delimiter in OTHER_DELIMITERS:
            if delimiter in line:
                raise separated_by(name, delimiter)
        raise DataError(
            f"{name} is not a comma-separated table: its first line, {line[:80]!r}, "
            "must name two or more columns."
        )
    numbers = pd.to_numeric(pd.Series(header, dtype="object"), errors="coerce").notna()
    if numbers.mean() > 0.5:
        raise DataError(
            f"{name} has no header: its first line begins {','.join(header)[:80]!r}. "
            "Add a first line with the columns' names."
        )
    refuse_duplicates(name, [column for column in header if column])
