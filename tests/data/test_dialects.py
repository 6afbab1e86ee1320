"""What Excel, SAP or a database exports is read as the same table and told, or refused."""

import gzip
import io
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

from helpers.data import load, load_sound, read_csv_text
from helpers.errors import DataError
from helpers.monitoring import TOLERATED
from helpers.table import BANK
from tests.support.bank import EMBEDDED_DATA, TABLE
from tests.support.excel import need_openpyxl

ROWS = 400
LINES = EMBEDDED_DATA.read_text().splitlines()[: ROWS + 1]
LINES[1] = LINES[1].replace(LINES[1].split(",")[2], "Müller-Šťastný")
TEXT = "\n".join([*LINES, ""])
WESTERN = TEXT.replace("Müller-Šťastný", "Müller")
NUMBERS = [name for name in TABLE.numeric if TABLE.bounds(name) and TABLE.bounds(name)[1] > 1000]


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    path.write_text(TEXT, encoding="utf-8")
    return load(path)


def in_german(text: str, thousands: str = "") -> str:
    """Return a CSV as a German Excel writes it."""
    table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    for name in NUMBERS:
        table[name] = [written(value, thousands) for value in table[name]]
    return table.to_csv(sep=";", index=False)


def written(value: str, thousands: str) -> str:
    whole, _, rest = value.partition(".")
    whole = f"{int(whole):,}".replace(",", thousands)
    return f"{whole},{rest}" if rest else whole


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


HEADER = LINES[0]
SNAKE = ",".join(map(snake_case, HEADER.split(",")))
FORMS = {
    "semicolons": (TEXT.replace(",", ";"), "utf-8", "semicolons between values"),
    "tabs": (TEXT.replace(",", "\t"), "utf-8", "tabs between values"),
    "bars": (TEXT.replace(",", "|"), "utf-8", "vertical bars between values"),
    "sep": ("sep=;\n" + TEXT.replace(",", ";"), "utf-8-sig", "semicolons between values"),
    "sep quoted": ('"sep=\t"\r\n' + TEXT.replace(",", "\t"), "utf-16", "tabs between values, UTF-16"),
    "sep comma": ("sep=,\n" + TEXT, "utf-8", ""),
    "Windows": (WESTERN, "cp1252", "Windows-1252"),
    "UTF-16": (TEXT, "utf-16", "UTF-16"),
    "UTF-16 without mark": (TEXT, "utf-16-le", "UTF-16-LE"),
    "UTF-32": (TEXT, "utf-32", "UTF-32"),
    "Excel": (in_german(WESTERN), "cp1252", "semicolons between values, Windows-1252, decimal commas"),
    "thousands": (
        in_german(TEXT, "."), "utf-8-sig",
        "semicolons between values, decimal commas, separators between thousands",
    ),
    "thin spaces": (
        in_german(TEXT, "\u202f"), "utf-8",
        "semicolons between values, decimal commas, separators between thousands",
    ),
    "quoted decimal commas": (
        re.sub(r"(?<=,)(\d+)\.(\d+)", r'"\1,\2"', TEXT), "utf-8", "decimal commas",
    ),
    "snake_case": (TEXT.replace(HEADER, SNAKE), "utf-8", "row_number as RowNumber, "),
    "upper case": (TEXT.replace(HEADER, HEADER.upper()), "utf-8", "ROWNUMBER as RowNumber"),
    "blanks": (TEXT.replace("CreditScore", " Credit Score "), "utf-8", " Credit Score  as CreditScore"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_dialect_is_read_as_the_same_table_and_told(form, expected, tmp_path):
    text, encoding, assumed = FORMS[form]
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode(encoding))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = load(path)
    told = [str(warning.message) for warning in caught]
    assert (
        (told == []) if not assumed else (len(told) == 1 and f"export.csv was read with {assumed}" in told[0])
    )
    assert table.attrs.get("assumed", "").startswith(assumed)
    shift = 1 if text.lstrip('"').startswith("sep") else 0
    assert table.index.equals(expected.index + shift)  # every row knows its own line
    surnames = ["Surname"] if "Müller-" not in text else []
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True).drop(columns=surnames), expected.drop(columns=surnames)
    )


@pytest.mark.parametrize("suffix", ["csv.gz", "parquet", "xlsx"])
def test_other_files_are_read_as_the_same_table(suffix, expected, tmp_path):
    path = tmp_path / f"customers.{suffix}"
    if suffix == "csv.gz":
        path.write_bytes(gzip.compress(TEXT.encode()))
    elif suffix == "parquet":
        raw = pd.read_csv(io.StringIO(TEXT))
        raw.astype({"Geography": "category", "CreditScore": "Int64", "HasCrCard": bool}).to_parquet(path)
    else:
        need_openpyxl()
        raw = pd.read_csv(io.StringIO(TEXT))
        with pd.ExcelWriter(path) as book:
            pd.DataFrame({"note": ["exported"]}).to_excel(book, sheet_name="About", index=False)
            raw.to_excel(book, sheet_name="Customers", index=False)
    table = load(path)
    assert table.attrs.get("assumed", "") == ("sheet 'Customers'" if suffix == "xlsx" else "")
    start = {"csv.gz": 0, "parquet": 1, "xlsx": 2}[suffix]
    assert table.index.tolist()[:3] == [start, start + 1, start + 2]
    pd.testing.assert_frame_equal(table.reset_index(drop=True), expected)


@pytest.fixture
def load_with(tmp_path):
    """Return a function that writes the table with some columns changed, and loads it."""

    def write_and_load(options: dict, **columns: list[str]) -> pd.DataFrame:
        table = pd.read_csv(io.StringIO(TEXT), dtype="str", keep_default_na=False)
        table.assign(**columns).to_csv(tmp_path / "export.csv", index=False, **options)
        return load(tmp_path / "export.csv")

    return write_and_load


POINTS = [f"{value // 1000}.{value % 1000:03}" for value in range(83_808, 83_808 + ROWS)]
COMMAS = [value.replace(".", ",") for value in POINTS]


def test_a_column_that_can_be_read_in_two_ways_is_refused_with_both_readings(load_with):
    with pytest.raises(
        DataError,
        match=r"Balance: '83.808' \(line 2\) is 83.808 if the point is the decimal mark, and 83808 if it is",
    ):
        load_with({}, Balance=POINTS)
    for options in ({}, {"sep": ";"}):
        with pytest.raises(
            DataError, match=r"Balance: '83,808' \(line 2\) is 83.808 if the comma .* and 83808"
        ):
            load_with(options, Balance=COMMAS)


@pytest.mark.parametrize("proof", ["0.5", "83.81", "83.8080", "1234.567", "123456", "1,234.5"])
def test_one_value_can_tell_how_a_column_is_read(proof, load_with):
    balances = load_with({}, Balance=[*POINTS[:-1], proof])["Balance"]
    assert balances[0] == 83.808 and balances[ROWS - 1] == float(proof.replace(",", ""))


def test_thousands_are_impossible_where_the_range_has_none(load_with):
    assert load_with({}, Tenure=["1.125"] * ROWS)["Tenure"].eq(1.125).all()


@pytest.mark.parametrize(("word", "value"), [("point", 83.808), ("comma", 83_808)])
def test_the_description_can_state_the_decimal_mark(word, value, load_with, tmp_path, monkeypatch):
    described = tmp_path / "mine.yaml"
    described.write_text(re.sub(r"(?m)^samples:\n(  .*\n)+", "", BANK.read_text()) + f"decimal: {word}\n")
    monkeypatch.setenv("CHURN_TABLE", str(described))
    other = 83_808 if word == "point" else 83.808
    assert load_with({}, Balance=POINTS)["Balance"][0] == value
    assert load_with({"sep": ";"}, Balance=COMMAS, EstimatedSalary=COMMAS)["Balance"][0] == other


def test_two_decimal_marks_in_one_file_are_refused(load_with):
    commas = ["1234,5"] * ROWS
    with pytest.raises(
        DataError,
        match=r"the decimal mark is a point in EstimatedSalary \(line 2: '\d+\.\d+'\) and a comma in Balance "
        r"\(line 2: '1234,5'\). Write all numbers in one way",
    ):
        load_with({"sep": ";"}, Balance=commas)


def test_a_decimal_mark_far_down_the_file_is_found(tmp_path):
    lines = [line.split(",") for line in LINES[1:]] * 60
    rows = [[str(n), str(n), *row[2:8], "0", *row[9:12], "1000", row[13]] for n, row in enumerate(lines)]
    rows[-2][12] = "1000,25"
    path = tmp_path / "export.csv"
    path.write_text("\n".join([HEADER.replace(",", ";"), *map(";".join, rows), ""]))
    assert load(path)["EstimatedSalary"].iloc[-2] == 1000.25
    rows[0][8], rows[0][12], rows[-1][12] = "0,5", "1000,25", "1000.25"
    path.write_text("\n".join([HEADER.replace(",", ";"), *map(";".join, rows), ""]))
    with pytest.raises(
        DataError, match=r"EstimatedSalary has a decimal point \('1000.25'\) among decimal commas"
    ):
        load(path)


def test_misspelled_categories_are_told_from_new_ones(tmp_path):
    path = tmp_path / "new.csv"
    lines = [*LINES]
    for at, country in {2: "spain", 3: "France ", 5: "Italy"}.items():
        lines[at] = re.sub("France|Germany|Spain", country, lines[at])
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(DataError) as error:
        load(path, target=False, tolerate=TOLERATED)
    assert (
        "Geography: 2 rows are not one of France, Germany, Spain (line 3: 'spain', line 4: 'France ')"
        in str(error.value)
    )
    assert "Did you mean France or Spain? Only case or blanks differ." in str(error.value)
    assert "Italy" not in str(error.value)
    with pytest.raises(
        DataError, match=r"1 row is not .*'Italy'\). Correct or remove the rows, or add the value"
    ):
        load(path, target=False)
    sound, reasons = load_sound(path)
    assert reasons.index.tolist() == [3, 4, 6] and len(sound) == ROWS - 3


def test_columns_that_may_both_be_meant_are_refused(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(TEXT.replace("Surname", "CREDIT_SCORE").replace("CreditScore", "credit score"))
    with pytest.raises(DataError, match="columns 'CREDIT_SCORE' and 'credit score' may both be CreditScore"):
        load(path)
    path.write_text(TEXT.replace("Surname", "creditscore"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the exact name counts
        assert "Surname" not in load(path)


def test_names_are_stated_in_the_description(tmp_path, monkeypatch, expected):
    described = tmp_path / "mine.yaml"
    described.write_text(BANK.read_text() + "renames: {Kundennr: CustomerId, Alter: Age}\n")
    monkeypatch.setenv("CHURN_TABLE", str(described))
    path = tmp_path / "export.csv"
    path.write_text(TEXT.replace("CustomerId", "Kundennr").replace(",Age", ",Alter"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is assumed
        pd.testing.assert_frame_equal(load(path), expected)
    assert load(path).attrs["script"]["renames"] == {"Kundennr": "CustomerId", "Alter": "Age"}


def test_a_first_line_that_states_no_delimiter_is_refused(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("sep=#\n" + TEXT.replace(",", "#"))
    with pytest.raises(DataError, match="'sep=#' states none of commas, semicolons, tabs, vertical bars"):
        load(path)


def test_a_program_that_sends_a_csv_is_held_to_the_projects_own_form():
    assert len(read_csv_text("the request", TEXT.encode())) == ROWS
    for content, named in (
        (TEXT.replace(",", ";").encode(), "semicolons between values"),
        (TEXT.replace(HEADER, SNAKE).encode(), "row_number as RowNumber"),
        (WESTERN.encode("cp1252"), "Windows-1252"),
    ):
        with pytest.raises(
            DataError, match=f"the request has {named}.*: write UTF-8, with commas between values"
        ):
            read_csv_text("the request", content)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lines_are_counted_across_blocks(ends, tmp_path):
    """With blank lines and quotes, in a file of many blocks and parts."""
    rows = [line.split(",") for line in LINES[1:]] * 200
    lines = [f'{n},{n},"{row[2]}, {n}",{",".join(row[3:])}' for n, row in enumerate(rows)]
    for at in range(0, len(lines), 7):
        lines[at] += ends
    lines[70_001] = (
        lines[70_001].replace("France", "Utopia").replace("Spain", "Utopia").replace("Germany", "Utopia")
    )
    path = tmp_path / "many.csv"
    path.write_bytes(ends.join([HEADER, *lines, ""]).encode())
    table, reasons = load_sound(path)
    assert len(table) == len(rows) - 1 and table["Surname"].iloc[-1].endswith(f", {len(rows) - 1}")
    (line,) = reasons.index
    assert "Utopia" in path.read_bytes().split(ends.encode())[line - 1].decode()
    lines[75_000] = lines[75_000].replace('"', "", 1)
    path.write_bytes(ends.join([HEADER, *lines, ""]).encode())
    line = 1 + next(n for n, text in enumerate(path.read_text().split("\n")) if text.startswith("75000,"))
    with pytest.raises(DataError, match=f"line {line} has 15 fields, the header 14"):
        load(path)


def test_reading_takes_little_more_memory_than_the_table(tmp_path):
    """Of a file of 20 MB: it took nine times the file before, the table takes two."""
    rows = [line.split(",", 2)[2] for line in LINES[1:]] * 750
    path = tmp_path / "many.csv"
    path.write_text("\n".join([HEADER, *(f"{n},{n},{row}" for n, row in enumerate(rows)), ""]))
    used = subprocess.run(
        [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
    ).stdout
    assert float(used) < 4 * path.stat().st_size


MEASURE = """
import resource, sys
from helpers.data import load
load()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
load(sys.argv[1])
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def workbook(path: Path, **sheets: pd.DataFrame) -> Path:
    need_openpyxl()
    with pd.ExcelWriter(path) as book:
        for name, table in sheets.items():
            table.to_excel(book, sheet_name=name, index=False)
    return path


def test_excels_own_traps_are_refused(tmp_path, monkeypatch):
    raw = pd.read_csv(io.StringIO(TEXT))
    two = workbook(tmp_path / "two.xlsx", January=raw, February=raw)
    with pytest.raises(DataError, match=r"two.xlsx has several sheets .*: January, February. Keep one"):
        load(two)
    rounded = workbook(tmp_path / "ids.xlsx", A=raw.assign(CustomerId=raw["CustomerId"] + 10**17))
    with pytest.raises(
        DataError, match=r"CustomerId has a number of more than 15 digits \(row 2\), of which"
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


def test_a_parquet_file_is_checked_like_a_csv(tmp_path):
    raw, path = pd.read_csv(io.StringIO(TEXT)), tmp_path / "new.parquet"
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
