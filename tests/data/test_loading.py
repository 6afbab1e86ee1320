"""Finding, reading and splitting a file of customers."""

import csv
import gzip
import re

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from helpers.data import loading
from helpers.errors import DataError
from helpers.files import sha256
from tests.support.bank import COLUMNS, EMBEDDED_DATA, FEATURES, IDENTIFIERS, NEW_CUSTOMERS, TARGET
from tests.support.paths import REAL_DATA, needs_real_data

TEXT = EMBEDDED_DATA.read_text()
LINES = TEXT.splitlines()


def error_of(tmp_path, content: bytes | str) -> str:
    path = tmp_path / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as error:
        loading.load(path)
    return str(error.value)


@pytest.mark.parametrize("path", [EMBEDDED_DATA, NEW_CUSTOMERS])
def test_embedded_tables_are_named_as_synthetic(path):
    assert loading.load(path).attrs["source"] == f"{path.name} (synthetic sample)"


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_blank_lines_and_byte_order_mark_change_nothing(tmp_path, ends, mark):
    path = tmp_path / "mine.csv"
    path.write_bytes((mark + ends.join(LINES[:101]) + ends * 3).encode())
    table = loading.load(path, target=False)
    assert table.index[5] + 2 == (13 if ends == "\n\n" else 7)  # the file's own line
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), loading.load(EMBEDDED_DATA, target=False).head(100)
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
        ("<!DOCTYPE html><html></html>", "not a CSV but HTML or XML"),
        ('[{"Age": 40}]', "not a CSV but JSON"),
        (b"PK\x03\x04rest", "not a CSV but a ZIP archive"),
        (gzip.compress(TEXT.encode())[:-20], "mine.csv is a gzip archive that is damaged or cut off"),
        (gzip.compress(gzip.compress(TEXT.encode())), "not a CSV but a gzip archive within another"),
        (b"PAR1\x15\x04", "mine.csv is a damaged Parquet file"),
        (TEXT.encode("utf-16")[:-1], "not UTF-16 to its end: it is damaged or was cut off"),
        (b"Age\x00\x01\x02\x03", "a binary file"),
        ("A" * 200_000, "does not start with the header of a customer table"),
        (
            TEXT.replace("Brun", '"' + "B" * 200_000 + '"', 1),
            "line 2 has a value of more than 131,072 characters",
        ),
        (TEXT.replace("Brun", '"Brun', 1), "a quote opens on line 2 and is not closed there"),
        (LINES[0].encode() + b"\n1,2,M\xfc\xdf\xe9", "not UTF-8 text (line 2)"),
        (TEXT.replace("Brun", "M\u00fcller").encode() + b"\xfc", "not UTF-8 text (line 10002)"),
        (LINES[0] + ",Age\n" + LINES[1] + ",5", "duplicate column Age in the header. Keep one."),
        ("\n".join([LINES[0], LINES[1] + ",extra"]), "line 2 has 15 fields, the header 14. Check the commas"),
        ("\n".join([*LINES[:5], "", LINES[5] + ",extra"]), "line 7 has 15 fields, the header 14"),
        ("\n".join([*LINES[:5], '1,2,"open']), "a quote on line 6 does not enclose a whole value"),
        (TEXT.replace("Brun", '"Brun" Jr', 1), "a quote on line 2 does not enclose a whole value"),
    ],
)
def test_other_file_is_rejected_by_its_format(tmp_path, content, expected):
    assert expected in error_of(tmp_path, content)


def with_quote(line: int) -> str:
    """Return a line, from 1, with a quote before its surname that is not closed."""
    return re.sub(r"^(\d+,\d+,)", r'\1"', LINES[line - 1])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("target", [True, False])
def test_quote_that_swallows_lines_is_refused(tmp_path, end, target):
    lines = LINES[:401]
    lines[100], lines[300] = with_quote(101), with_quote(301)
    path = tmp_path / "mine.csv"
    path.write_bytes(end.join([*lines, ""]).encode())
    expected = (
        "a quote opens on line 101 and is not closed there: it swallows 200 lines, up to line 301. Close"
    )
    with pytest.raises(DataError, match=expected):
        loading.load(path, target=target)
    lines[300] = LINES[300]
    path.write_bytes(end.join([*lines, ""]).encode())
    with pytest.raises(
        DataError, match=r"line 101 .* swallows 300 lines, up to line 401, the end of the file"
    ):
        loading.load(path, target=target)


def test_quote_in_a_large_file_is_found(tmp_path):
    """The csv module gives up after 131,072 characters."""
    assert "line 2 and is not closed there: it swallows 9999 lines" in error_of(
        tmp_path, "\n".join([LINES[0], with_quote(2), *LINES[2:]])
    )


def test_value_with_a_line_break_is_refused(tmp_path):
    lines = [*LINES[:60], "", *LINES[60:100], ""]
    lines[20] = re.sub(r"^(\d+,\d+,)(\w)(\w+)", '\\1"\\2\n\\3"', lines[20])
    assert "a quote opens on line 21 and is not closed there: it swallows 1 line, up to line 22" in error_of(
        tmp_path, "\n".join(lines)
    )


def test_sound_quotes_change_nothing(tmp_path):
    path = tmp_path / "mine.csv"
    pd.read_csv(EMBEDDED_DATA, dtype=str, nrows=50).to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    pd.testing.assert_frame_equal(
        loading.load(path, target=False), loading.load(EMBEDDED_DATA, target=False).head(50)
    )
    path.write_text("\n".join([LINES[0], re.sub("^(1,[0-9]+,)[A-Za-z]+", r'\1"O""Neil, Jr"', LINES[1]), ""]))
    assert loading.load(path, target=False)["Surname"].tolist() == ['O"Neil, Jr']


def test_line_that_was_cut_off_is_refused(tmp_path):
    short = ",".join(LINES[399].split(",")[:12])
    assert "line 400 has 12 fields, the header 14: it may have been cut off" in error_of(
        tmp_path, "\n".join([*LINES[:399], short, *LINES[400:500]])
    )
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([*LINES[:399], short]))
    with pytest.raises(DataError, match="the last line is cut off: line 400 has 12 fields, the header 14"):
        loading.load(path, target=False)
    path.write_text("\n".join([*LINES[:399], LINES[399][:-1]]))  # before the outcome
    with pytest.raises(DataError, match=r"the last line \(400\) has neither a last value nor a line end"):
        loading.load(path, target=False)


def test_file_that_may_have_been_cut_off_within_its_last_value_is_told(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(line.rsplit(",", 1)[0] for line in LINES[:5]))
    with pytest.warns(UserWarning, match=r"mine.csv has no line end after its last value \(line 5: "):
        loading.load(path, target=False)


IDS = [
    "007",
    "7",
    "2E5",
    "200000",
    "10E0",
    "1E1",
    "9" * 20,
    "4711",
    "4711 ",
    " 4711",
    "NA",
    "null",
    "True",
    "1.0",
]


def test_identifiers_are_text(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [line.split(",") for line in LINES[1 : len(IDS) + 1]]
    rows = [[name, name, name, *row[3:]] for name, row in zip(IDS, rows, strict=True)]
    path.write_text("\n".join([LINES[0], *map(",".join, rows), ""]))
    table = loading.load(path, target=False)
    for column in IDENTIFIERS:
        assert table[column].tolist() == IDS
    path.write_text("\n".join([LINES[0], *map(",".join, [*rows, rows[0]]), ""]))
    with pytest.raises(
        DataError, match=r"CustomerId: 2 rows are duplicates \(line 2: '007', line 16: '007'\)"
    ):
        loading.load(path, target=False)


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
    plain = pd.read_csv(REAL_DATA, dtype=dict.fromkeys(IDENTIFIERS, "str"), keep_default_na=False)
    pd.testing.assert_frame_equal(customers, plain, check_dtype=False)
