"""Parquet and Excel are read as a CSV of the same table is, or refused."""

import io
import re
import sys
import zipfile
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from helpers.data import load
from helpers.errors import DataError
from tests.support.excel import need_openpyxl
from tests.support.exports import COMMAS, ROWS, TEXT, typed, workbook


def test_excels_own_traps_are_refused(tmp_path, monkeypatch):
    raw = typed()
    two = workbook(tmp_path / "two.xlsx", January=raw, February=raw)
    with pytest.raises(DataError, match=r"two.xlsx has several sheets .*: January, February. Keep one"):
        load(two)
    rounded = workbook(tmp_path / "ids.xlsx", A=raw.assign(CustomerId=raw["CustomerId"] + 10**17))
    with pytest.raises(
        DataError, match=r"CustomerId has a number of more than 15 digits, of which Excel keeps 15 \(row 2\)"
    ):
        load(rounded)
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(two.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"cut.xlsx is a damaged Excel workbook \(.*\). Save it again"):
        load(cut)
    wrong = workbook(tmp_path / "wrong.xlsx", A=raw.astype({"Age": object}).replace({"Age": {42: "old"}}))
    with pytest.raises(DataError, match=r"Age: \d+ rows are not a number \(row \d+: 'old'"):
        load(wrong)
    bools = workbook(tmp_path / "bools.xlsx", A=raw.assign(Tenure=True, HasCrCard=raw["HasCrCard"].eq(1)))
    with pytest.raises(DataError, match=r"1 problem:\n  - Tenure: 400 rows are not a number \(row 2: 'True'"):
        load(bools)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"needs openpyxl: pip install 'bank-churn-mlops\[excel\]', or save"):
        load(two)


def test_excel_cells_are_read_as_they_are_shown_or_refused(tmp_path):
    need_openpyxl()
    import openpyxl

    path = workbook(tmp_path / "cells.xlsx", Customers=typed())
    book = openpyxl.load_workbook(path)
    sheet = book["Customers"]
    sheet["B2"].value, sheet["B2"].number_format = 7, "000000"
    copy = book.copy_worksheet(sheet)
    copy.sheet_state = "hidden"
    book.save(path)
    table = load(path)
    assert table["CustomerId"].iloc[0] == "000007" and table.attrs["assumed"] == "sheet 'Customers'"
    wrong = re.compile(rb'<dimension ref="[A-Z0-9:]+"')
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "wrong.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, wrong.sub(b'<dimension ref="A1:F10"', old.read(name)))
    assert len(load(tmp_path / "wrong.xlsx")) == ROWS
    sheet["D9"].value = "=600+19"
    book.save(path)
    with pytest.raises(
        DataError, match=r"CreditScore has a formula without a value \(row 9\). Open the workbook"
    ):
        load(path)


def test_a_parquet_file_is_checked_like_a_csv(tmp_path):
    raw, path = typed(), tmp_path / "new.parquet"
    raw.assign(Age=raw["Age"].astype(object).where(raw.index != 6, 5)).astype({"Age": "int64"}).to_parquet(
        path
    )
    with pytest.raises(DataError, match=r"Age: 1 row is outside 18 to 100 \(row 7: '5'\)"):
        load(path)
    raw.assign(Geography=raw["Geography"].where(raw.index != 3), Balance=True).to_parquet(path)
    with pytest.raises(DataError) as error:
        load(path)
    assert "Geography: 1 row is without a value (row 4)" in str(error.value)
    assert "Balance: 400 rows are not a number (row 1: 'True'" in str(error.value)
    raw.head(0).to_parquet(path)
    with pytest.raises(DataError, match="there are no rows below the header"):
        load(path)
    raw[["Surname"]].to_parquet(path)
    with pytest.raises(DataError, match="CreditScore: the column is missing"):
        load(path)
    raw[["Surname"]].rename(columns={"Surname": "x"}).to_parquet(path)
    with pytest.raises(DataError, match="does not start with the header of a customer table"):
        load(path)


def test_parquet_keeps_identifiers_as_they_are_meant(tmp_path):
    path, raw = tmp_path / "ids.parquet", pd.read_csv(io.StringIO(TEXT), dtype={"CustomerId": "str"})
    ids = raw["CustomerId"].tolist()
    for values in (
        pa.array([Decimal(each) for each in ids], pa.decimal128(38, 10)),
        pa.array([each.encode() for each in ids], pa.binary()),
        pa.array([float(each) for each in ids]),
    ):
        table = pa.Table.from_pandas(raw.drop(columns="CustomerId")).append_column("CustomerId", values)
        parquet.write_table(table, path)
        assert load(path)["CustomerId"].tolist() == ids
    rounded = raw.assign(CustomerId=raw["CustomerId"].astype("float64") + 2.0**60)
    rounded.to_parquet(path)
    with pytest.raises(
        DataError, match=r"CustomerId has a number that a double.* may have rounded \(row 1\)"
    ):
        load(path)
    raw.set_index("Age").to_parquet(path)
    assert load(path)["Age"].iloc[0] == raw["Age"].iloc[0]
    dictionary = raw.assign(Balance=pd.Categorical(COMMAS))
    dictionary.to_parquet(path)
    with pytest.raises(DataError, match=r"Balance: '83,808' \(row 1\) is 83.808 if the comma"):
        load(path)
