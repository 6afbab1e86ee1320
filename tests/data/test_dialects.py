"""What Excel, SAP or a database exports is read as the same table and told, or refused."""

import gzip
import io
import re
import warnings

import pandas as pd
import pytest

from helpers.data import load, load_sound, read_csv_text
from helpers.errors import DataError
from helpers.monitoring import TOLERATED
from tests.support.bank import TABLE
from tests.support.excel import need_openpyxl
from tests.support.exports import HEADER, LINES, ROWS, TEXT, WESTERN, described_with, typed

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


SNAKE = ",".join(map(snake_case, HEADER.split(",")))
FORMS = {
    "semicolons": (TEXT.replace(",", ";"), "utf-8", "semicolons between values"),
    "tabs": (TEXT.replace(",", "\t"), "utf-8", "tabs between values"),
    "bars": (TEXT.replace(",", "|"), "utf-8", "vertical bars between values"),
    "sep": ("sep=;\n" + TEXT.replace(",", ";"), "utf-8-sig", "semicolons between values"),
    "sep quoted": ('"sep=\t"\r\n' + TEXT.replace(",", "\t"), "utf-16", "tabs between values, UTF-16"),
    "sep comma": ("sep=,\n" + TEXT, "utf-8", "a first line sep=,"),
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
        raw = typed()
        raw.astype({"Geography": "category", "CreditScore": "Int64", "HasCrCard": bool}).to_parquet(path)
    else:
        need_openpyxl()
        raw = typed()
        with pd.ExcelWriter(path) as book:
            pd.DataFrame({"note": ["exported"]}).to_excel(book, sheet_name="About", index=False)
            raw.to_excel(book, sheet_name="Customers", index=False)
    table = load(path)
    assert table.attrs.get("assumed", "") == ("sheet 'Customers'" if suffix == "xlsx" else "")
    start = {"csv.gz": 0, "parquet": 1, "xlsx": 2}[suffix]
    assert table.index.tolist()[:3] == [start, start + 1, start + 2]
    pd.testing.assert_frame_equal(table.reset_index(drop=True), expected)


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
    described = described_with(tmp_path, "renames: {Kundennr: CustomerId, Alter: Age}\n")
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


WESTERN_WORDS = [
    "Müller", "José Álvarez", "it’s", "O´Neil", "“Ä”", "10 € pro", "café…", "Jean–Luc", "col·lega", "cœur",
    "Škoda", "m² groß", "50‰ x", "Ÿ", "Århus", "à l’école", "¿Qué?", "ÀÉ", "„Wort“ hier", "N°rue",
]  # fmt: skip
OTHERS = {
    "mac_roman": ["Müller", "Größe", "André"],
    "cp850": ["Köln", "Zürich"],
    "cp437": ["José"],
    "cp1251": ["Москва"],
    "cp1250": ["Łukasz Żółć"],
    "cp1253": ["Αθήνα"],
    "utf-8": ["Mędąk", "Größe"],
}


def test_only_western_text_is_taken_for_windows_1252(tmp_path):
    path = tmp_path / "export.csv"

    def surname_of(word: bytes) -> str:
        path.write_bytes(WESTERN.encode("cp1252").replace(b"M\xfcller", b"M\xfcller " + word))
        return load(path)["Surname"].iloc[0]

    for word in WESTERN_WORDS:
        assert surname_of(word.encode("cp1252")) == f"Müller {word}"
    for encoding, words in OTHERS.items():
        for word in words:
            with pytest.raises(DataError, match="is not UTF-8 text"):
                surname_of(word.encode(encoding))


def test_a_last_line_without_values_is_no_cut(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(TEXT + "," * 13)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load(path)) == ROWS
