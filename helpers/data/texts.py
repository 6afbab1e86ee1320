"""Read a table that no description knows yet, every value as it is written."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers.data.headers import refuse_duplicates
from helpers.data.numbers import MARKS, as_numbers, find_marks, is_number_like, plain
from helpers.data.opening import open_file
from helpers.data.raw_files import RawFile
from helpers.data.reading import MISSING_TEXTS, tell
from helpers.errors import DataError


def read_texts(path: Path, decimal: str | None = None) -> pd.DataFrame:
    """Read a table as strictly as ``reading.TableReader``, but any columns, and nothing is missing.

    Parameters
    ----------
    path : Path
    decimal : {"point", "comma"}, optional
        The decimal mark of numbers that can be read in two ways.

    Returns
    -------
    DataFrame of str
        Numbers have a decimal point, and nothing between thousands, whatever the file has.

    Raises
    ------
    DataError
        As from ``reading.TableReader``; also if the first line is no header of two or more columns, or if
        there are no rows below it.
    """
    file = open_file(RawFile(path.name, path), _fit)
    _check_header(path.name, file.names, file.first_line)
    places = [str(place) for place in range(len(file.names))]
    table = pd.concat(list(file.chunks(places, places))).fillna("").astype("str")
    if table.empty:
        raise DataError(f"{path.name}: there are no rows below the header.")
    table, marks = table.set_axis(file.names, axis="columns"), list[str]()
    if not file.is_typed:
        table, marks = _with_plain_numbers(path.name, table, decimal, file.has_points_only)
    tell(path.name, ", ".join([*file.assumed, *marks]))
    return table


def _with_plain_numbers(
    name: str, table: pd.DataFrame, decimal: str | None, known: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with numbers that Python can read, and what was assumed of them."""
    present = table.mask(table.isin(MISSING_TEXTS))
    numbers = [
        column for column in dict.fromkeys(map(str, table)) if column and is_number_like(present[column])
    ]
    marks = find_marks(name, [present[numbers]], numbers, MARKS.get(decimal), known)
    grouped = False
    for column in numbers:
        texts, has_groups = plain(present[column], marks.of(column))
        if as_numbers(texts) is not texts:
            table = table.assign(**{column: texts.fillna(table[column])})
            grouped = grouped or has_groups
    return table, marks.assumed(grouped)


def _fit(lines: Sequence[Sequence[str]]) -> int:
    """Return how many values there are in lines with as many as the header, which has two or more."""
    width = len(lines[0])
    return sum(len(fields) == width for fields in lines) * width if width > 1 else 0


def _check_header(name: str, header: list[str], line: str) -> None:
    if len(header) < 2:
        raise DataError(
            f"{name} is not a table: its first line, {line[:80]!r}, must name two or more columns, separated "
            "like the values below it."
        )
    numbers = pd.to_numeric(pd.Series(header, dtype="object"), errors="coerce").notna()
    if numbers.mean() > 0.5:
        raise DataError(
            f"{name} has no header: its first line begins {','.join(header)[:80]!r}. "
            "Add a first line with the columns' names."
        )
    refuse_duplicates(name, [column for column in header if column])
