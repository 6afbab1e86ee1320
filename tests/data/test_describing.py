"""Drafts of descriptions: valid as they are, whatever the columns and values are called."""

import csv
import gzip
import random
from pathlib import Path

import pandas as pd
import pytest

from helpers.data import describe, load, split
from helpers.data.drafting import wider
from helpers.errors import DataError, ExitCode, SettingError
from helpers.table import TableDescription, read_description
from helpers.training import evaluate, make_pipeline
from tests.support.bank import EMBEDDED_DATA, TABLE
from tests.support.command import churn
from tests.support.paths import REAL_DATA, needs_real_data

ROWS = 400
EVERY_SECOND = ["0", "1"] * (ROWS // 2)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes columns as a table and returns its path."""

    def write_table(file: str = "mine.csv", /, **columns: list) -> Path:
        pd.DataFrame(columns).to_csv(tmp_path / file, index=False)
        return tmp_path / file

    return write_table


@pytest.fixture
def drafted(tmp_path, monkeypatch):
    """Return a function that describes a table, loads it with the draft, and returns both."""

    def draft_and_load(path: Path, **settings) -> tuple[TableDescription, pd.DataFrame]:
        draft = tmp_path / "draft.yaml"
        draft.write_text(describe(path, **settings), encoding="utf-8")
        monkeypatch.setenv("CHURN_TABLE", str(draft))
        return read_description(draft), load(path)

    return draft_and_load


def lines_of(path: Path) -> dict[str, str]:
    """Return a draft's lines by what they begin with, without dashes and marks of a comment."""
    lines = [line.strip(" #-") for line in describe(path).splitlines()]
    return {line.partition(":")[0].partition(" ")[0]: line for line in lines if line}


@pytest.mark.parametrize("path", [EMBEDDED_DATA, pytest.param(REAL_DATA, marks=needs_real_data)])
def test_the_banks_draft_trains_to_the_same_figures(path, drafted, monkeypatch):
    def figures() -> dict[str, float]:
        parts = split(load(path))
        model = make_pipeline("logreg").fit(parts.X_train, parts.y_train)
        return evaluate(model, parts.X_test, parts.y_test)

    draft, table = drafted(path)
    assert draft.identifiers == TABLE.identifiers and draft.key == TABLE.key
    assert draft.feature_names == TABLE.feature_names and draft.sensitive == TABLE.sensitive
    assert (draft.numeric, draft.categorical) == (TABLE.numeric, TABLE.categorical)
    assert draft.target == TABLE.target
    assert {name: draft.choices(name) for name in draft.categorical} == {
        name: TABLE.choices(name) for name in TABLE.categorical
    }
    found = figures()
    monkeypatch.delenv("CHURN_TABLE")
    assert found == pytest.approx(figures(), rel=0, abs=1e-12)
    pd.testing.assert_frame_equal(table, load(path))


ODD = [
    *(
        "Yes",
        "null",
        "1e8",
        "<<",
        "a: b",
        "a #b",
        " lead",
        "trail ",
        "it's",
        'say "hi"',
        "Größe",
        "😀",
        "{x",
        "a, b",
    ),
    *(
        "- x",
        "? q",
        "*s",
        "&a",
        "!t",
        "%",
        "@",
        "`",
        "~",
        "=",
        "|",
        ">",
        "[]",
        "\t",
        "\x7f",
        "\x85",
        "\u2028",
        "0x1F",
    ),
    *(
        "01",
        "1_000",
        "2020-01-31",
        "12:30:00",
        ".inf",
        "# all",
        "---",
        "...",
        "\\n",
        "y",
        "null: ",
        "\ufeffx",
    ),
    "long " * 50,
]


def test_any_name_and_any_value_can_be_described(tmp_path, drafted):
    chance = random.Random(0)
    names = [*ODD, "churned: yes?"]
    rows = [
        [*(chance.choice([*ODD[:4], *ODD[i % 30 : i % 30 + 4]]) for i in range(len(ODD)))]
        for _ in range(ROWS)
    ]
    path = tmp_path / "Kunden – Größe #1: 'neu'.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([names, *([*row, chance.choice(["Ja: 'x'", "no"])] for row in rows)])
    draft, table = drafted(path)
    assert (draft.name, draft.title) == ("kunden_groe_1_neu", "Kunden groe 1 neu")
    assert draft.columns == names and len(table) == ROWS
    for name in ODD:
        assert set(table[name].dropna()) <= set(draft.choices(name))


def test_roles_follow_the_values(write, drafted):
    chance = random.Random(0)

    def some(*values):
        return [chance.choice(values) for _ in range(ROWS)]

    path = write(
        "Telco Customers-2024.csv",
        row=range(ROWS),
        customerID=[f"{i:04d}-XYZ" for i in range(ROWS)],
        name=[f"Name {i % 150}" for i in range(ROWS)],
        seen=[f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(ROWS)],
        SeniorCitizen=some(0, 1),
        Partner=some("Yes", "No"),
        flag=some("True", "False"),
        contract=some("Month-to-month", "One year", ""),
        offer=some("A", "B", "A", "B", "A", "B", *["A"] * 40, "NA"),
        region_code=some("01", "02", "10"),
        products=some(1, 2, 3, 4),
        income=[chance.randint(10_000, 99_999) if i % 9 else "" for i in range(ROWS)],
        total=[chance.uniform(-3, 8) if i % 50 else " " for i in range(ROWS)],
        nothing=[""] * ROWS,
        currency=["EUR"] * ROWS,
        reason=["moved" if i % 4 == 0 else "" for i in range(ROWS)],
        left_code=[9 if i % 4 == 0 else 8 for i in range(ROWS)],
        group=["a" if i % 4 == 0 else "b" for i in range(ROWS)],
        **{"Churn": ["Yes" if i % 4 == 0 else "No" for i in range(ROWS)]},
    )
    draft, _ = drafted(path)
    assert (draft.name, draft.title) == ("telco_customers_2024", "Telco customers 2024")
    assert draft.experiment == "EXP_Telco_Customers_2024_Modelling"
    assert draft.identifiers == ["row", "customerID", "name", "seen"] and draft.key == "customerID"
    assert (draft.target.column, draft.target.positive.value) == ("Churn", "Yes")
    assert (draft.target.positive.label, draft.target.negative.label) == ("churned", "retained")
    assert draft.numeric == ["products", "income"]
    assert draft.categorical == ["Partner", "flag", "contract", "offer", "region_code"]
    assert draft.binary == ["SeniorCitizen"]
    assert draft.choices("region_code") == ["01", "02", "10"]
    imputed = {name: feature.missing for name, feature in draft.features.items() if feature.missing}
    assert imputed == {"contract": "category", "offer": "most_frequent", "income": "median"}
    assert draft.sensitive == ["SeniorCitizen"]
    lines = lines_of(path)
    assert "check: 1, 2, 3, 4 occur" in lines["products"]
    assert "(also as 'NA'): why?" in lines["offer"]
    assert "left out: 8 values are no numbers, e.g. ' ' in line 2: correct or empty them" in lines["total"]
    assert lines["nothing"].endswith("left out: it is empty")
    assert lines["currency"].endswith("left out: only 'EUR'")
    assert lines["reason"].endswith("left out: only 'moved', and 300 are missing")
    for name in ("left_code", "group"):
        assert "left out: it tells every row's outcome" in lines[name]


@pytest.mark.parametrize(
    ("columns", "target", "values"),
    [
        ({"default": ["yes", "no"], "y": ["yes", "no"]}, "y", ("no", "yes")),
        ({"Exited": [0, 1], "Active": [0, 1]}, "Exited", ("0", "1")),
        ({"churn_label": ["Yes", "No"], "churn_value": [0, 1]}, "churn_value", ("0", "1")),
        ({"a": [0, 1], "paid": ["T", "F"]}, "paid", ("F", "T")),
        ({"Attrition_Flag": ["Existing Customer", "Attrited Customer"]}, "Attrition_Flag", None),
        ({"label": [1.0, 0.0]}, "label", ("0", "1")),
        ({"Status": ["Not churned", "Churned"]}, "Status", ("Not churned", "Churned")),
    ],
)
def test_the_likeliest_target_is_taken(columns, target, values, write, drafted):
    table = {name: two * (ROWS // 2) for name, two in columns.items()}
    shuffled = {name: random.Random(name).sample(column, ROWS) for name, column in table.items()}
    path = write(**shuffled, size=[i / 7 for i in range(ROWS)])
    found = drafted(path)[0].target
    assert found.column == target
    expected = values or ("Existing Customer", "Attrited Customer")
    assert (found.negative.value, found.positive.value) == expected
    assert "check: is it the outcome?" in describe(path)


def test_of_two_unknown_values_the_rarer_one_is_positive(write, drafted):
    path = write(kind=["x", "z", "x", "x"] * (ROWS // 4), size=[i / 7 for i in range(ROWS)])
    target = drafted(path)[0].target
    assert (target.negative.value, target.positive.value) == ("x", "z")
    assert "which value is positive? The rarer one is taken" in describe(path)


def test_target_and_name_can_be_given(write, drafted):
    path = write(
        churned=EVERY_SECOND, paid=["a", "a", "b", "b"] * (ROWS // 4), size=[i / 7 for i in range(ROWS)]
    )
    draft = drafted(path, target="paid", name="payment")[0]
    assert (draft.target.column, draft.name) == ("paid", "payment")
    assert "is it the outcome" not in describe(path, target="paid")


def test_ids_are_told_from_quantities(write, drafted):
    chance = random.Random(0)
    path = write(
        account=chance.sample(range(100_000, 999_999), ROWS),
        serial=chance.sample(range(100_000, 999_999), ROWS),
        salary=chance.sample(range(900, 150_000), ROWS),
        branch_id=[i % 100 for i in range(ROWS)],
        number_of_cards=[i % 100 for i in range(ROWS)],
        exited=EVERY_SECOND,
    )
    draft, _ = drafted(path)
    assert (draft.identifiers, draft.key) == (["account", "serial", "branch_id"], "account")
    assert draft.numeric == ["salary", "number_of_cards"]
    lines = lines_of(path)
    assert "or is it a quantity?" in lines["serial"] and "or is it a quantity?" in lines["branch_id"]


def test_the_number_of_the_row_is_a_key_only_if_nothing_else_is_one(write, drafted):
    path = write(row=range(1, ROWS + 1), size=[i % 50 / 7 for i in range(ROWS)], exited=EVERY_SECOND)
    assert drafted(path)[0].key == "row"
    path = write(
        name=[f"N{i % 99}" for i in range(ROWS)], size=[i / 7 for i in range(ROWS)], exited=EVERY_SECOND
    )
    assert drafted(path)[0].key is None
    assert "# key: no identifier has another value in every row" in describe(path)


def test_a_column_without_a_name_is_left_out(write, drafted):
    path = write(**{"": range(ROWS)}, size=[i / 7 for i in range(ROWS)], exited=EVERY_SECOND)
    assert drafted(path)[0].columns == ["size", "exited"]
    assert "# a column without a name: left out" in describe(path)


@pytest.mark.parametrize(("name", "fits"), [("x" * 1024, True), ("x" * 1025, False), ("'" * 520, False)])
def test_a_column_whose_name_is_too_long_for_a_key_is_left_out(name, fits, write, drafted):
    sizes = [i / 7 for i in range(ROWS)]
    path = write(size=sizes, **{name: sizes}, exited=EVERY_SECOND)
    reason = f"left out: the name of column 2 has {len(name):,} characters, too many for YAML: shorten it"
    assert drafted(path)[0].columns == (["size", name, "exited"] if fits else ["size", "exited"])
    assert (reason in describe(path)) is not fits


def test_a_feature_named_as_a_column_of_the_scores_is_left_out(write, drafted):
    sizes = [i / 7 for i in range(ROWS)]
    path = write(customer=range(5000, 5000 + ROWS), probability=sizes, size=sizes, exited=EVERY_SECOND)
    draft, _ = drafted(path)
    assert (draft.identifiers, draft.numeric) == (["customer"], ["size"])
    assert (
        "left out: the scores need this name: rename it, also in the table" in lines_of(path)["probability"]
    )


def test_an_identifier_or_a_target_may_have_a_long_name(write, drafted):
    row, target = "r" * 2000, "t" * 2000
    path = write(**{row: range(ROWS), target: EVERY_SECOND}, size=[i / 7 for i in range(ROWS)])
    assert drafted(path)[0].columns == [row, "size", target]


def test_letters_for_yes_and_no_are_no_labels(write, drafted):
    path = write(lapsed=["J", "N"] * (ROWS // 2), size=[i / 7 for i in range(ROWS)])
    target = drafted(path)[0].target
    assert (target.positive.value, target.positive.label, target.outcome) == ("J", "lapsed", "lapsed")
    assert (target.negative.value, target.negative.label) == ("N", "not lapsed")


def test_no_value_of_an_identifier_is_written(write):
    names = [f"Smith{i % 150}" for i in range(ROWS)]
    path = write(
        surname=names, id=range(5000, 5000 + ROWS), size=[i / 7 for i in range(ROWS)], exited=EVERY_SECOND
    )
    assert "Smith" not in describe(path) and "5000" not in describe(path)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (18, 92, [10, 100]),
        (350, 850, [300, 900]),
        (0, 10, [0, 20]),
        (1, 4, [0, 5]),
        (-3.2, 3.4, [-4, 5]),
        (0.12, 0.48, [0, 0.6]),
        (1e-8, 9e-8, [0, 1e-7]),
        (1e17, 1e17 + 400, [1e17 - 100, 1e17 + 500]),
        (-1.7e308, 1.7e308, [-1.7e308, 1.7e308]),
        (0, 5e-324, [0, 5e-324]),
    ],
)
def test_ranges_are_wider_than_what_occurs(low, high, expected):
    assert wider(low, high) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.csv is empty"),
        (
            "# Title\nText\n",
            "not a table: its first line, '# Title', must name two or more columns",
        ),
        (
            "1,15634602,Hargrave,619\n2,15647311,Hill,608\n",
            "has no header: its first line begins '1,15634602,Har",
        ),
        ("a,churned\n", "no rows below the header"),
        ("a,b,a\n1,0,1\n", "duplicate column a in the header. Keep one."),
        ('a,churned\n"1,0\n2,1\n', "a quote opens on line 2 and is not closed there"),
        ("a,churned\n1,0\n2\n", "the last line is cut off"),
        ("PK\x03\x04", "not a CSV but a ZIP archive"),
        (
            "a,b\n1,2\n2,3\n3,4\n",
            "no column has exactly two values, as the outcome must have (0 and 1, or Yes and No)",
        ),
        (
            "id,churned\n5,0\n6,1\n",
            "beside the target 'churned', no column can be a feature. Add some, or name another with",
        ),
    ],
)
def test_what_cannot_be_described_is_one_message(text, message, tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    assert churn("describe", path) == ExitCode.FAILED
    output = capsys.readouterr()
    assert message in output.err and output.err.count("\n") == 1
    assert output.out == ""


def test_a_target_that_cannot_be_one_is_refused(write):
    path = write(churned=EVERY_SECOND, size=range(ROWS))
    with pytest.raises(
        SettingError, match=r"--target: mine.csv has no column 'churnd'; did you mean 'churned'"
    ):
        describe(path, target="churnd")
    with pytest.raises(SettingError, match="no column 'q'; choose from churned, size"):
        describe(path, target="q")
    with pytest.raises(
        DataError, match="the target 'size' must have exactly two values, such as 0 and 1, not 400"
    ):
        describe(path, target="size")
    with pytest.raises(SettingError, match="beginning with a letter: 'b_1' instead of '1 B-1'"):
        describe(path, name="1 B-1")


def test_only_the_draft_is_on_standard_output(capfdbinary):
    assert churn("describe", EMBEDDED_DATA, "--name", "churn") == ExitCode.DONE
    output = capfdbinary.readouterr()
    assert output.out.decode() == describe(EMBEDDED_DATA, name="churn")
    assert output.err == b""


GERMAN = "Kunde;Umsatz;Land;gekündigt\n" + "".join(
    f"{1000 + n};{1200 + 13 * n},5;{'DE' if n % 3 else 'Österreich'};{'ja' if n % 4 else 'nein'}\n"
    for n in range(80)
)


def test_an_export_of_another_dialect_is_described_and_loads(tmp_path, drafted, recwarn):
    path = tmp_path / "Kunden 2026.csv"
    path.write_bytes(GERMAN.encode("cp1252"))
    draft, table = drafted(path)
    assert draft.name == "kunden_2026" and draft.numeric == ["Umsatz"] and draft.categorical == ["Land"]
    assert draft.bounds("Umsatz")[1] > 2227.5 and table["Umsatz"].iloc[0] == 1200.5
    told = {str(warning.message) for warning in recwarn}
    assert told == {"Kunden 2026.csv was read with semicolons between values, Windows-1252, decimal commas."}


def test_a_draft_states_the_decimal_mark_where_the_table_does_not_tell(tmp_path, drafted):
    path = tmp_path / "mine.csv.gz"
    points = "".join(f"{n % 7},{n % 999 + 1}.{n % 10}25,{n % 2}\n" for n in range(80))
    path.write_bytes(gzip.compress(f"a,amount,churned\n{points}".encode()))
    with pytest.raises(DataError, match=r"amount: '1.025' \(line 2\) is 1.025 if the point .* and 1025 if"):
        describe(path)
    assert drafted(path, decimal="comma")[1]["amount"].iloc[0] == 1025
    draft, table = drafted(path, decimal="point")
    assert draft.name == "mine" and table["amount"].iloc[0] == 1.025
