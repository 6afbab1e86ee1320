"""The bank's table as others export it."""

import io
import re
from pathlib import Path

import pandas as pd

from helpers.table import BANK
from tests.support.bank import EMBEDDED_DATA
from tests.support.excel import need_openpyxl

ROWS = 400
LINES = EMBEDDED_DATA.read_text().splitlines()[: ROWS + 1]
LINES[1] = LINES[1].replace(LINES[1].split(",")[2], "Müller-Šťastný")
TEXT = "\n".join([*LINES, ""])
WESTERN = TEXT.replace("Müller-Šťastný", "Müller")
HEADER = LINES[0]
POINTS = [f"{value // 1000}.{value % 1000:03}" for value in range(83_808, 83_808 + ROWS)]
COMMAS = [value.replace(".", ",") for value in POINTS]


def typed() -> pd.DataFrame:
    """Return the table as pandas reads it."""
    return pd.read_csv(io.StringIO(TEXT))


def workbook(path: Path, **sheets: pd.DataFrame) -> Path:
    """Write a workbook with some sheets; skip the test if that is not possible."""
    need_openpyxl()
    with pd.ExcelWriter(path) as book:
        for name, table in sheets.items():
            table.to_excel(book, sheet_name=name, index=False)
    return path


def described_with(folder: Path, more: str = "", **features: str) -> Path:
    """Write the bank's description, without samples, with other keys for some features and more below."""
    text = re.sub(r"(?m)^samples:\n(  .*\n)+", "", BANK.read_text())
    for name, keys in features.items():
        text = re.sub(rf"(?m)^  {name}: .*$", f"  {name}: {keys}", text)
    (folder / "mine.yaml").write_text(text + more)
    return folder / "mine.yaml"
