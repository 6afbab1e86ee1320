"""Numbers in other notations are read, or refused where they can be read in two ways."""

import io

import pandas as pd
import pytest

from helpers.data import load
from helpers.errors import DataError
from tests.support.exports import COMMAS, HEADER, LINES, POINTS, ROWS, TEXT, described_with


@pytest.fixture
def load_with(tmp_path):
    """Return a function that writes the table with some columns changed, and loads it."""

    def write_and_load(options: dict, **columns: list[str]) -> pd.DataFrame:
        table = pd.read_csv(io.StringIO(TEXT), dtype="str", keep_default_na=False)
        table.assign(**columns).to_csv(tmp_path / "export.csv", index=False, **options)
        return load(tmp_path / "export.csv")

    return write_and_load


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
    described = described_with(tmp_path, f"decimal: {word}\n")
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


def test_ambiguous_numbers_far_below_are_found(tmp_path):
    rows = [f"{n},{n},{line.split(',', 2)[2]}" for n, line in enumerate(LINES[1:] * 15)]
    rows = [",".join([*row.split(",")[:8], "123456", *row.split(",")[9:]]) for row in rows]
    rows[-1] = ",".join([*rows[-1].split(",")[:8], "83.808", *rows[-1].split(",")[9:]])
    path = tmp_path / "export.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    assert load(path)["Balance"].iloc[-1] == 83.808  # nothing is between thousands elsewhere
    path.write_text(path.read_text().replace(",", ";").replace(".", ",").replace("83,808", "83.808"))
    with pytest.raises(DataError, match=r"Balance: '83.808' \(line 6001\) is 83.808 if the point"):
        load(path)


@pytest.mark.parametrize("decimal", [".", ","])
def test_blanks_around_numbers_do_not_count(decimal, load_with):
    with pytest.raises(DataError, match=r"Balance: '83.808' \(line 2\)"):
        load_with({"sep": ";"}, Balance=[f"   {value} " for value in POINTS])
    salaries = [f" {n}{decimal}5 " for n in range(ROWS)]
    balances = [f"  {n}{decimal}25" for n in range(ROWS)]
    table = load_with({"sep": ";"}, Balance=balances, EstimatedSalary=salaries)
    assert table["Balance"].iloc[-1] == ROWS - 1 + 0.25 and table["EstimatedSalary"].iloc[3] == 3.5


def test_thousands_below_zero_are_possible_too(load_with, tmp_path, monkeypatch):
    described = described_with(tmp_path, Balance="{role: numeric, range: [-1e6, 0]}")
    monkeypatch.setenv("CHURN_TABLE", str(described))
    with pytest.raises(DataError, match=r"Balance: '-83.808' \(line 2\)"):
        load_with({}, Balance=[f"-{value}" for value in POINTS])


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e400"])
def test_a_number_must_be_finite(value, load_with, tmp_path, monkeypatch):
    described = described_with(tmp_path, Balance="{role: numeric}")
    monkeypatch.setenv("CHURN_TABLE", str(described))
    with pytest.raises(DataError, match=r"Balance: 1 row is not a number \(line 401: '-?inf'\)"):
        load_with({}, Balance=[*POINTS[:-2], "0.5", value])
