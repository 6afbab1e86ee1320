"""Open a table by what its file contains, whatever it is called."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.data.csv_files import CsvFile
from helpers.data.excel_files import ExcelFile
from helpers.data.parquet_files import ParquetFile
from helpers.data.raw_files import RawFile


def open_file(raw: RawFile, fit: Callable[[Sequence[list[str]]], int]) -> CsvFile | ParquetFile | ExcelFile:
    """Open a table; see `csv_files.CsvFile`.

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
