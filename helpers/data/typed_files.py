"""Files whose values have types, Parquet and Excel's, read as if they were a CSV."""

import datetime
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype, is_string_dtype

from helpers.data.csv_files import NOTHING, ROWS, CsvFile
from helpers.data.numbers import POINT
from helpers.data.raw_files import RawFile
from helpers.data.schema import ROW
from helpers.errors import DataError

_EXACT = 10**15  # Excel keeps 15 digits of a number


class _TypedFile:
    """Base of both; what is public is as in `csv_files.CsvFile`. Rows are called so, not lines."""

    is_typed, has_points_only, open_end = True, False, None
    kind: str
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
            mixed = [name for name in part if is_string_dtype(part[name]) or part[name].dtype == object]
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
                name: self._as_text(values) if name in texts else _as_number(values)
                for name, values in part.items()
            }
            chunk = pd.DataFrame(typed, index=part.index.rename(ROW))
            for name, ways in missing.items():
                if name in chunk and is_string_dtype(chunk[name]):
                    chunk[name] = chunk[name].mask(chunk[name].isin(ways))
            yield chunk

    def _as_text(self, values: pd.Series) -> pd.Series:
        if not is_string_dtype(values):
            values = values.astype(object).map(_text, na_action="ignore")
        return values.astype("str")


class ParquetFile(_TypedFile):
    """A Parquet file; rows count from 1.

    Raises
    ------
    DataError
        If it is damaged.
    """

    kind = "Parquet"
    expression = "pd.read_parquet(data, dtype_backend='pyarrow')"

    def __init__(self, path: Path, fit: Callable[[Sequence[list[str]]], int]):
        from pyarrow import ArrowException, parquet

        self.name, self.assumed = path.name, []
        try:
            self._file = parquet.ParquetFile(path)
        except (ArrowException, OSError) as error:
            raise self._damaged(error) from None
        self._errors = (ArrowException, OSError)
        names = list(self._file.schema_arrow.names)
        self.first_line = ",".join(names)
        self.names = names if fit([names]) else []

    def _parts(self, columns: Sequence[str | None], rows: int) -> Iterator[pd.DataFrame]:
        kept = {own: name for own, name in zip(self.names, columns, strict=True) if name is not None}
        start = 1
        try:
            for batch in self._file.iter_batches(rows, columns=list(kept)):
                part = batch.to_pandas(types_mapper=pd.ArrowDtype)
                yield part.rename(columns=kept).set_axis(pd.RangeIndex(start, start + len(part)))
                start += len(part)
        except self._errors as error:
            raise self._damaged(error) from None
        if start == 1:
            yield pd.DataFrame(columns=list(kept.values()))

    def _damaged(self, error: Exception) -> DataError:
        return DataError(
            f"{self.name} is a damaged Parquet file ({str(error)[:200]}). Export or copy it again."
        )


class ExcelFile(_TypedFile):
    """A sheet of an Excel workbook; rows have Excel's numbers.

    Parameters
    ----------
    path : Path
    fit : callable
        See `csv_files.CsvFile`; the sheet that fits is read.

    Raises
    ------
    DataError
        If it is no workbook or damaged, openpyxl is not installed, or several sheets fit.
    """

    kind = "Excel"

    def __init__(self, path: Path, fit: Callable[[Sequence[list[str]]], int]):
        self.name, self._path = path.name, path
        self._book = _open_workbook(path)
        headers = {sheet.title: _header(sheet) for sheet in self._book.worksheets}
        fitting = [title for title, names in headers.items() if names and fit([names])]
        if len(fitting) > 1:
            raise DataError(
                f"{self.name} has several sheets with the table's columns: {', '.join(fitting)}. "
                "Keep one, or save the right one as CSV."
            )
        self._sheet = (fitting or list(headers))[0]
        self.first_line = ",".join(headers[self._sheet])
        self.names = headers[self._sheet] if fitting else []
        self.assumed = [f"sheet {self._sheet!r}"] if len(headers) > 1 else []
        self.expression = f"pd.read_excel(data, sheet_name={self._sheet!r}, dtype=object)"

    def _parts(self, columns: Sequence[str | None], rows: int) -> Iterator[pd.DataFrame]:
        kept = {place: name for place, name in enumerate(columns) if name is not None}
        cells = enumerate(self._book[self._sheet].iter_rows(values_only=True), start=1)
        next(cells)
        some = False
        while part := list(islice(cells, rows)):
            filled = [(number, row) for number, row in part if any(value is not None for value in row)]
            if filled or not some:
                some = True
                values = [[row[place] if place < len(row) else None for place in kept] for _, row in filled]
                index = pd.Index([number for number, _ in filled], dtype="int64")
                yield pd.DataFrame(values, index=index, columns=list(kept.values()), dtype=object)
        if not some:
            yield pd.DataFrame(columns=list(kept.values()))

    def _as_text(self, values: pd.Series) -> pd.Series:
        rounded = values.map(lambda value: isinstance(value, int | float) and abs(value) >= _EXACT)
        if rounded.any():
            row = rounded.idxmax()
            raise DataError(
                f"{self.name}: {values.name} has a number of more than 15 digits (row {row}), of which Excel "
                "keeps 15. Export the column as text."
            )
        return super()._as_text(values)


def _open_workbook(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f"{path.name} is an Excel workbook, which needs openpyxl: pip install 'bank-churn-mlops[excel]', "
            "or save the table as CSV."
        ) from None
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path.name} is a damaged Excel workbook ({str(error)[:200]}). Save it again."
        ) from None


def _header(sheet: Any) -> list[str]:
    """Return the names in a sheet's first row."""
    row = next(sheet.iter_rows(max_row=1, values_only=True), ())
    names = ["" if value is None else _text(value) for value in row]
    while names and not names[-1]:
        names.pop()
    return names


def _text(value: Any) -> str:
    """Return a value as a CSV would have it: 7.0 as 7, a day without its midnight."""
    if isinstance(value, float) and value.is_integer():
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
        lambda value: value if isinstance(value, bool | Real) else _text(value), na_action="ignore"
    )


def open_file(raw: RawFile, fit: Callable[[Sequence[list[str]]], int]) -> CsvFile | ParquetFile | ExcelFile:
    """Open a table by what the file contains, whatever it is called; see `csv_files.CsvFile`.

    Raises
    ------
    DataError
        If it is no table.
    """
    if isinstance(raw.content, Path):
        start = raw.start(4)
        if start == b"PAR1":
            return ParquetFile(raw.content, fit)
        if start == b"PK\x03\x04" and _is_workbook(raw.content):
            return ExcelFile(raw.content, fit)
    return CsvFile(raw, fit)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except zipfile.BadZipFile:
        return path.suffix.lower().startswith(".xls")
