"""Excel workbooks, which need the extra ``excel``."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pandas as pd

from helpers.data.typed_files import TypedFile, as_csv_text
from helpers.errors import DataError

_EXACT = 10**15  # Excel keeps 15 digits of a number
_DAMAGES = (zipfile.BadZipFile, zlib.error, ParseError, EOFError, KeyError, ValueError, TypeError, OSError)


class ExcelFile(TypedFile):
    """A sheet of an Excel workbook; rows have Excel's numbers.

    Parameters
    ----------
    path : Path
    fit : callable
        See `csv_files.CsvFile`; the sheet that fits is read, hidden ones only if no other one does.

    Raises
    ------
    DataError
        If it is no workbook or damaged, openpyxl is not installed, or several sheets fit.
    """

    kind = "Excel"

    def __init__(self, path: Path, fit: Callable[[Sequence[list[str]]], int]):
        self.name, self._path = path.name, path
        self._book = self._open()
        headers = {sheet.title: self._header(sheet) for sheet in self._book.worksheets}
        fitting = [title for title, names in headers.items() if names and fit([names])]
        visible = [title for title in fitting if self._book[title].sheet_state == "visible"]
        fitting = visible or fitting
        if len(fitting) > 1:
            raise DataError(
                f"{self.name} has several sheets with the table's columns: {', '.join(fitting)}. "
                "Keep one, or save the right one as CSV."
            )
        self._sheet = (fitting or list(headers))[0]
        self.first_line = ",".join(headers[self._sheet])
        self.names = headers[self._sheet] if fitting else []
        self.assumed = [f"sheet {self._sheet!r}"] if len(headers) > 1 else []
        options = f"sheet_name={self._sheet!r}, dtype=object, keep_default_na=False, na_values=['']"
        self.expression = f"pd.read_excel(data, {options})"

    def _parts(self, columns: Sequence[str | None], rows: int) -> Iterator[pd.DataFrame]:
        kept = {place: name for place, name in enumerate(columns) if name is not None}
        numbered = enumerate(self._rows(self._book[self._sheet]), start=1)
        next(numbered)
        count = 0
        while part := list(islice(numbered, rows)):
            filled = [(number, row) for number, row in part if any(cell.value is not None for cell in row)]
            count += len(filled)
            values = [
                [self._value(number, row, place, name) for place, name in kept.items()]
                for number, row in filled
            ]
            index = pd.Index([number for number, _ in filled], dtype="int64")
            if filled:
                yield pd.DataFrame(values, index=index, columns=list(kept.values()), dtype=object)
        if not count:
            yield pd.DataFrame(columns=list(kept.values()))

    def _value(self, number: int, row: Sequence[Any], place: int, name: str) -> Any:
        """Return a cell's value, with the zeros that its format shows in front."""
        cell: Any = row[place] if place < len(row) else None
        value = cell and cell.value
        if value is None and (number, place) in self._formulas:
            raise DataError(
                f"{self.name}: {name} has a formula without a value (row {number}). Open the workbook in "
                "Excel and save it, or save the table as CSV."
            )
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and re.fullmatch("0{2,}", cell.number_format)
        ):
            return str(value).zfill(len(cell.number_format))
        return value

    @cached_property
    def _formulas(self) -> set[tuple[int, int]]:
        """Find the row and place of every formula; a program that writes them may leave out their values."""
        sheet = self._open(data_only=False)[self._sheet]
        return {
            (number, place)
            for number, row in enumerate(self._rows(sheet), start=1)
            for place, cell in enumerate(row)
            if cell.data_type == "f"
        }

    def as_text(self, values: pd.Series) -> pd.Series:
        """Return a column as text; refuses numbers that Excel has rounded."""
        self._refuse_rounded(values, _EXACT, "of more than 15 digits, of which Excel keeps 15")
        return super().as_text(values)

    def _open(self, data_only: bool = True) -> Any:
        try:
            import openpyxl
        except ImportError:
            raise DataError(
                f"{self.name} is an Excel workbook, which needs openpyxl: pip install "
                "'bank-churn-mlops[excel]', or save the table as CSV."
            ) from None
        try:
            content = io.BytesIO(self._path.read_bytes())  # an open file could not be replaced on Windows
            return openpyxl.load_workbook(content, read_only=True, data_only=data_only)
        except _DAMAGES as error:
            raise self._damaged(error) from None

    def _rows(self, sheet: Any) -> Iterator[Sequence[Any]]:
        sheet.reset_dimensions()  # what a file says of them is often wrong
        try:
            yield from sheet.iter_rows()
        except _DAMAGES as error:
            raise self._damaged(error) from None

    def _header(self, sheet: Any) -> list[str]:
        """Return the names in a sheet's first row."""
        row = next(self._rows(sheet), ())
        names = ["" if cell.value is None else as_csv_text(cell.value) for cell in row]
        while names and not names[-1]:
            names.pop()
        return names

    def _damaged(self, error: Exception) -> DataError:
        return DataError(f"{self.name} is a damaged Excel workbook ({str(error)[:200]}). Save it again.")
