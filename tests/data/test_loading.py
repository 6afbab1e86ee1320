"""Finding, reading and splitting a file of customers."""

import gzip

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from helpers.config import COLUMNS, EMBEDDED_DATA, FEATURES, NEW_CUSTOMERS, ROOT, TARGET
from helpers.data import loading
from helpers.errors import DataError
from helpers.files import sha256
from tests.support.paths import REAL_DATA, needs_real_data

TEXT = EMBEDDED_DATA.read_text()
LINES = TEXT.splitlines()


def error_of(tmp_path, content: bytes | str) -> str:
    path = tmp_path / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as error:
        loading.load(path)
    return str(error.value)


def test_parameter_takes_precedence_over_variable_and_variable_over_sample(tmp_path, monkeypatch):
    monkeypatch.delenv("CHURN_DATA", raising=False)
    assert loading.data_path() == loading.data_path("") == EMBEDDED_DATA
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("")
    monkeypatch.setenv("CHURN_DATA", str(tmp_path / "a.csv"))
    assert loading.data_path() == tmp_path / "a.csv"
    assert loading.data_path(str(tmp_path / "b.csv")) == tmp_path / "b.csv"


def test_relative_path_is_tried_from_current_folder_then_from_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert loading.data_path("data/bank_churn.csv") == EMBEDDED_DATA
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bank_churn.csv").write_text("")
    assert loading.data_path("data/bank_churn.csv") == tmp_path / "data" / "bank_churn.csv"


def test_missing_file_is_named_with_the_places_tried(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no file nowhere") as error:
        loading.load("nowhere.csv")
    assert str(tmp_path / "nowhere.csv") in str(error.value) and str(ROOT / "nowhere.csv") in str(error.value)


@pytest.mark.parametrize("sample", ["EMBEDDED_DATA", "NEW_CUSTOMERS"])
def test_without_a_checkout_the_error_says_where_the_sample_is(tmp_path, monkeypatch, sample):
    monkeypatch.setattr(loading, sample, tmp_path / "bank_churn.csv")
    with pytest.raises(DataError, match=r"part of a checkout of the project.* Give a CSV of your own"):
        loading.load(tmp_path / "bank_churn.csv")


@pytest.mark.parametrize("path", [EMBEDDED_DATA, NEW_CUSTOMERS])
def test_embedded_tables_are_named_as_synthetic(path):
    assert loading.load(path).attrs["source"] == f"{path.name} (synthetic sample)"


def test_folder_is_not_a_file(tmp_path):
    with pytest.raises(DataError, match="no file"):
        loading.load(tmp_path)


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_blank_lines_and_byte_order_mark_change_nothing(tmp_path, ends, mark):
    path = tmp_path / "mine.csv"
    path.write_bytes((mark + ends.join(LINES[:101]) + ends * 3).encode())
    pd.testing.assert_frame_equal(
        loading.load(path, target=False), loading.load(EMBEDDED_DATA, target=False).head(100)
    )


def test_line_numbers_count_blank_lines(tmp_path):
    lines = [*LINES[:3], "", "", *LINES[3:200]]
    for country in ("France", "Germany", "Spain"):
        lines[7] = lines[7].replace(country, "Atlantis")
    assert "Geography: 1 row is not one of France, Germany, Spain (line 8: 'Atlantis')" in error_of(
        tmp_path, "\n".join(lines)
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "mine.csv is empty"),
        (" \n\n", "mine.csv is empty"),
        (b"\xef\xbb\xbf", "mine.csv is empty"),
        (LINES[0], "no rows below the header"),
        ("\n".join(LINES[1:]), "does not start with the header of a customer table. Its first line is '1,"),
        ("\n" + TEXT, "does not start with the header of a customer table"),
        (TEXT.replace(",", ";"), "separated by semicolons. Save it with commas"),
        (TEXT.replace(",", "\t"), "separated by tabs"),
        ("<!DOCTYPE html><html></html>", "not a CSV but HTML or XML"),
        ('[{"Age": 40}]', "not a CSV but JSON"),
        (b"PK\x03\x04rest", "not a CSV but a ZIP archive or an Excel workbook"),
        (gzip.compress(TEXT.encode()), "not a CSV but a gzip archive"),
        (b"PAR1\x15\x04", "not a CSV but a Parquet file"),
        (TEXT.encode("utf-16"), "not a CSV but UTF-16 text"),
        (b"Age\x00\x01\x02\x03", "a binary file"),
        (LINES[0].encode() + b"\n1,2,M\xfcller", "not UTF-8 text (line 2)"),
        (LINES[0] + ",Age\n" + LINES[1] + ",5", "duplicate column Age in the header. Keep one."),
        ("\n".join([LINES[0], LINES[1] + ",extra"]), "lines have more fields than the header"),
        ("\n".join([*LINES[:5], LINES[5] + ",extra"]), "Expected 14 fields in line 6, saw 15"),
        ("\n".join([*LINES[:5], '1,2,"open']), "not a well-formed CSV"),
    ],
)
def test_other_file_is_rejected_by_its_format(tmp_path, content, expected):
    assert expected in error_of(tmp_path, content)


def test_short_lines_have_missing_values(tmp_path):
    assert "EstimatedSalary: 1 row is without a value (line 4)" in error_of(
        tmp_path, "\n".join([*LINES[:3], ",".join(LINES[3].split(",")[:12]), *LINES[4:300]])
    )


def test_new_customers_need_no_outcome(tmp_path):
    path = tmp_path / "new.csv"
    pd.read_csv(EMBEDDED_DATA, nrows=5)[["CustomerId", *FEATURES]].to_csv(path, index=False)
    assert TARGET not in loading.load(path, target=False)
    with pytest.raises(DataError, match="Exited: the column is missing"):
        loading.load(path)


def test_split_equals_plain_scikit_learn():
    customers = loading.load()
    parts = loading.split(customers)
    plain = pd.read_csv(EMBEDDED_DATA)
    expected = train_test_split(
        plain[FEATURES], plain["Exited"], test_size=0.2, stratify=plain["Exited"], random_state=42
    )
    for ours, theirs in zip(parts, expected, strict=True):
        assert ours.index.equals(theirs.index)
    assert list(parts.X_train) == list(parts.X_test) == FEATURES
    assert len(parts.y_test) == 2000
    assert parts.y_train.mean() == pytest.approx(parts.y_test.mean(), abs=5e-4)


@needs_real_data
def test_real_table_is_read_unchanged():
    assert b"\r\n" in REAL_DATA.read_bytes()
    assert sha256(REAL_DATA) == "3996cd1fa372e0db0cd9c0ebac35bbd4e8e3c65fb942bb010c826e7b1eeef0a0"
    customers = loading.load("../shared/data/Churn_Modelling.csv")
    assert customers.shape == (10_000, 14) and list(customers) == COLUMNS
    pd.testing.assert_frame_equal(customers, pd.read_csv(REAL_DATA), check_dtype=False)
