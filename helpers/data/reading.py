"""Read a table as the description in use says, from a CSV of any dialect, Parquet or Excel."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype, is_string_dtype

from helpers.data.csv_files import ROWS
from helpers.data.headers import find_columns
from helpers.data.numbers import MARKS, Marks, as_numbers, find_marks, plain
from helpers.data.opening import open_file
from helpers.data.raw_files import RawFile
from helpers.errors import DataError, DataWarning
from helpers.table import current_table

# How pandas and many programs write a missing value.
MISSING_TEXTS = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "#NA"]
_THOUSAND = 1000


class TableReader:
    """A file whose columns and numbers are known, to be read in parts.

    Parameters
    ----------
    raw : RawFile
    strict : bool
        Whether numbers must have decimal points and nothing between thousands: none is looked at twice then.

    Raises
    ------
    DataError
        If it is no table with the columns of the description, or has numbers that can be read in two ways.
    """

    def __init__(self, raw: RawFile, strict: bool = False):
        self.name, self._described = raw.name, current_table()
        file = open_file(raw, self._fit)
        if not file.names:
            raise DataError(
                f"{raw.name} does not start with the header of a customer table. Its first line is "
                f"{file.first_line[:80]!r}; expected {','.join(self._described.columns)}."
            )
        self._file, self._header = file, find_columns(raw.name, file.names, self._described)
        self.names = file.names
        coded = [self._described.target_name] if self._described.target.is_coded else []
        self._numbers = [*self._described.numeric, *self._described.binary, *coded]
        self._marks = Marks() if strict else self._find_marks()
        self._has_groups = False

    def chunks(self, rows: int = ROWS) -> Iterator[pd.DataFrame]:
        """Yield the table in parts, at least one: as few rows in memory at a time as are asked for.

        Yields
        ------
        DataFrame
            The known columns, in the file's order; identifiers, categories and an outcome in words are text,
            character for character, numbers are numbers where all in the part are. The index tells the row's
            place in the file, see `schema.places`.

        Raises
        ------
        DataError
            Where the file is broken, was cut off, or has numbers that are written in another way.
        """
        columns = self._header.columns
        missing = {name: self._missing(name) for name in columns if name is not None}
        texts = [name for name in missing if name not in self._numbers or name in self._marks.swapped]
        last, has_last = columns[-1], False
        for chunk in self._file.chunks(columns, texts, missing, self._marks.decimal, rows):
            for name in chunk.columns.intersection(self._numbers):
                if not is_numeric_dtype(chunk[name]):  # bool is
                    chunk[name] = self._to_numbers(chunk[name])
            has_last = has_last or (last is not None and bool(chunk[last].notna().any()))
            yield chunk
        if self._file.open_end and last is not None:
            self._check_end(last, *self._file.open_end, has_last)

    @property
    def assumed(self) -> str:
        """Return, once it is read, what was assumed; empty if the file is written as the project's own."""
        marks = self._marks.assumed(self._has_groups)
        return ", ".join([*self._file.assumed, *marks, *self._header.assumed])

    @property
    def script(self) -> dict[str, Any]:
        """Return, once it is read, what a script needs to read it with pandas alone; empty for the usual.

        ``format`` is for people, ``expression`` reads all values, from the path ``data``; ``renames`` are the
        columns that have another name in the file, ``decimal_marks`` those of the columns of numbers.
        """
        renames = {
            given: name
            for given, name in zip(self._header.names, self._header.columns, strict=True)
            if name is not None and name != given
        }
        if not (renames or self.assumed or self._file.is_typed or self._file.is_compressed):
            return {}
        marks = {name: self._marks.of(name) for name in self._header.columns if name in self._numbers}
        return {
            "format": ", ".join([self._file.kind, *([self.assumed] if self.assumed else [])]),
            "expression": self._file.expression,
            "renames": renames,
            "decimal_marks": marks,
        }

    def _fit(self, lines: Sequence[Sequence[str]]) -> int:
        """Return how many of the description's columns there are in the first line."""
        return sum(map(bool, find_columns(self.name, lines[0], self._described).columns))

    def _check_end(self, column: str, line: int, value: str, has_values: bool) -> None:
        """Refuse or tell what may be a file that was cut off within its last value."""
        if value in self._missing(column) and has_values:
            raise DataError(
                f"{self.name}: the last line ({line}) has neither a last value nor a line end: the file was "
                "cut off. Export or copy it again; if it is complete, add a line end."
            )
        whole = (*self._described.binary, self._described.target_name)  # values that are whole or missing
        if has_values and column not in whole:
            warnings.warn(
                f"{self.name} has no line end after its last value (line {line}: {value}). If the file was "
                "cut off there, the value is wrong: compare it with the source.",
                DataWarning,
                stacklevel=5,
            )

    def _find_marks(self) -> Marks:
        known = self._file.has_points_only
        wide = {name for name in self._numbers if self._may_have_thousands(name)}
        needed = wide if known else {*self._numbers}
        columns = [name if name in needed else None for name in self._header.columns]
        if not any(columns):
            return Marks()
        stated = MARKS.get(self._described.decimal)
        return find_marks(self.name, self._file.number_texts(columns), wide, stated, known, self._file.place)

    def _to_numbers(self, values: pd.Series) -> pd.Series:
        is_text = values.map(lambda value: isinstance(value, str))
        try:
            texts, has_groups = plain(values[is_text].astype("str"), self._marks.of(str(values.name)))
        except DataError as error:
            raise DataError(f"{self.name}: {error}") from None
        self._has_groups = self._has_groups or has_groups
        if is_string_dtype(values):
            return as_numbers(texts.reindex(values.index))
        return values.mask(is_text, as_numbers(texts).astype(object))

    def _may_have_thousands(self, name: str) -> bool:
        bounds = self._described.bounds(name)
        possible = self._described.choices(name) or bounds
        return not possible or max(abs(float(value)) for value in possible) >= _THOUSAND

    def _missing(self, name: str) -> list[str]:
        """Return how a missing value is written; an identifier is only missing where nothing is."""
        return [""] if name in self._described.identifiers else missing_values()


def missing_values() -> list[str]:
    """Return how a missing value may be written: not as one of the table's own categories, e.g. ``None``."""
    described = current_table()
    own = {value for name in described.categorical for value in described.choices(name)}
    return [text for text in MISSING_TEXTS if text not in own]


def tell(name: str, assumed: str) -> None:
    """Warn of what was assumed of a file, if anything was."""
    if assumed:
        warnings.warn(f"{name} was read with {assumed}.", DataWarning, stacklevel=4)


def read_csv_text(name: str, content: bytes) -> pd.DataFrame:
    """Read a CSV that a program sends: nothing is assumed of it; ``name`` is what to call it in an error."""
    reader = TableReader(RawFile(name, content), strict=True)
    table = pd.concat(reader.chunks())
    if reader.assumed:
        raise DataError(
            f"{name} has {reader.assumed}: write UTF-8, with commas between values, decimal points, and the "
            "names of the table."
        )
    return table
