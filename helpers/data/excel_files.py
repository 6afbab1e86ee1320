"""Excel workbooks, which need the extra ``excel``."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.data.typed_files import TypedFile, as_csv_text
from helpers.errors import DataError

_EXACT = 10**15  # Excel keeps 15 digits of a number


class ExcelFile(TypedFile):
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
        content = io.BytesIO(path.read_bytes())  # an open file could not be replaced on Windows
        return openpyxl.load_workbook(content, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path.name} is a damaged Excel workbook ({str(error)[:200]}). Save it again."
        ) from None


def _header(sheet: Any) -> list[str]:
    """Return the names in a sheet's first row."""
    row = next(sheet.iter_rows(max_row=1, values_only=True), ())
    names = ["" if value is None else as_csv_text(value) for value in row]
    while names and not names[-1]:
        names.pop()
    return names
