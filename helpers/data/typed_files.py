"""Files whose values have types, read as if they were a CSV."""

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype, is_string_dtype

from helpers.data.csv_files import NOTHING, ROWS
from helpers.data.numbers import POINT
from helpers.data.schema import ROW
from helpers.errors import DataError


class TypedFile:
    """Base of them; what is public is as in `csv_files.CsvFile`. Rows are called so, not lines."""

    is_typed, is_compressed, has_points_only, open_end = True, False, False, None
    kind: str
    place = ROW
    name: str
    names: list[str]
    expression: str
    assumed: list[str]
    first_line: str

    def _parts(self, columns: Sequence[str | None], rows: int) -> Iterator[pd.DataFrame]:
        """Yield some columns as they are typed."""
        raise NotImplementedError

    def number_texts(self, columns: Sequence[str | None]) -> Iterator[pd.DataFrame]:
        """Yield the numbers that are written as text; typed ones can be read in one way only."""
        for part in self._parts(columns, ROWS):
            mixed = [name for name in part if not is_numeric_dtype(part[name])]
            if not mixed:
                return
            texts = part[mixed].map(lambda value: value if isinstance(value, str) else None)
            yield texts.astype("str").set_axis(part.index - 2)

    def chunks(
        self,
        columns: Sequence[str | None],
        texts: Collection[str],
        missing: Mapping[str, list[str]] = NOTHING,
        decimal: str = POINT,
        rows: int = ROWS,
    ) -> Iterator[pd.DataFrame]:
        """Yield the table in parts, at least one; the index is the number of the row and is called `ROW`."""
        for part in self._parts(columns, rows):
            typed = {
                name: self.as_text(values) if name in texts else _as_number(values)
                for name, values in part.items()
            }
            chunk = pd.DataFrame(typed, index=part.index.rename(ROW))
            for name, ways in missing.items():
                if name in chunk and is_string_dtype(chunk[name]):
                    chunk[name] = chunk[name].mask(chunk[name].isin(ways))
            yield chunk

    def _refuse_rounded(self, values: pd.Series, least: int, what: str) -> None:
        """Refuse numbers in a column of text that may have lost digits."""
        rounded = values.map(lambda value: isinstance(value, int | float) and abs(value) >= least)
        if (rounded := rounded.fillna(False).astype(bool)).any():
            raise DataError(
                f"{self.name}: {values.name} has a number {what} (row {rounded.idxmax()}). Export the column "
                "as text."
            )

    def as_text(self, values: pd.Series) -> pd.Series:
        """Return a column as text; see `as_csv_text`."""
        if not is_string_dtype(values):
            values = values.astype(object).map(as_csv_text, na_action="ignore")
        return values.astype("str")


def as_csv_text(value: Any) -> str:
    """Return a value as a CSV would have it: 7.0 as 7, a day without its midnight."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _as_number(values: pd.Series) -> pd.Series:
    """Return numbers as such; others as they are, or as text."""
    if is_string_dtype(values):
        return values.astype("str")
    if is_integer_dtype(values) and values.notna().all():
        return values.astype("int64")
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        return values.astype("float64")
    number = values.map(lambda value: isinstance(value, Real | Decimal) and not isinstance(value, bool))
    if number[values.notna()].all():
        return values.astype("float64")
    return values.astype(object).map(
        lambda value: value if isinstance(value, bool | Real) else as_csv_text(value), na_action="ignore"
    )
