"""Validation: one error names every problem with column, example rows and values."""

import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.types import DataType

from helpers.config import ROOT, folds
from helpers.data import problems, validation
from helpers.data.loading import load, split
from helpers.data.problems import MIN_PER_CLASS
from helpers.data.synthetic import make_customers
from helpers.errors import DataError
from helpers.table import read_description
from tests.support.bank import BINARY, COLUMNS, FEATURES, IDENTIFIERS, NUMERIC, RANGES, TARGET
from tests.support.paths import REAL_DATA, needs_real_data


@pytest.fixture
def customers() -> pd.DataFrame:
    return make_customers(200, seed=7)


def message(df: pd.DataFrame, **kwargs) -> str:
    with pytest.raises(DataError) as error:
        validation.validate(df, **kwargs)
    return str(error.value)


def test_valid_table_is_returned_in_the_projects_types(customers):
    valid = validation.validate(customers)
    assert list(valid) == COLUMNS
    assert set(valid[NUMERIC + BINARY].dtypes.astype(str)) == {"float64"}
    assert valid[TARGET].dtype == "int64"
    pd.testing.assert_frame_equal(
        valid, customers.astype(dict.fromkeys(IDENTIFIERS, "str")), check_dtype=False
    )


def test_extra_columns_are_dropped_and_the_order_is_restored(customers):
    shuffled = customers.assign(Score=1.0)[["Score", *reversed(COLUMNS)]]
    assert list(validation.validate(shuffled)) == COLUMNS


def test_identifiers_are_optional(customers):
    validated = validation.validate(customers.drop(columns=IDENTIFIERS))
    assert list(validated) == [name for name in COLUMNS if name not in IDENTIFIERS]


@pytest.mark.parametrize("column", [*FEATURES, TARGET])
def test_missing_column_is_named(customers, column):
    assert f"{column}: the column is missing: add it" in message(customers.drop(columns=column))


def test_misspelled_column_is_suggested_for_renaming(customers):
    assert "Balance: the column is missing: rename ' balance' to it" in message(
        customers.rename(columns={"Balance": " balance"})
    )


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("Age", "forty", "Age: 1 row is not a number (line 6: 'forty')."),
        ("EstimatedSalary", "1,200.50", "EstimatedSalary: 1 row is not a number (line 6: '1,200.50')."),
        ("HasCrCard", "yes", "HasCrCard: 1 row is not one of 0, 1 (line 6: 'yes')."),
        ("Geography", "Italy", "Geography: 1 row is not one of France, Germany, Spain (line 6: 'Italy')."),
        ("Gender", "female", "Gender: 1 row is not one of Female, Male (line 6: 'female')."),
        ("Age", 17, "Age: 1 row is outside 18 to 100 (line 6: '17')."),
        ("CreditScore", 901, "CreditScore: 1 row is outside 300 to 900 (line 6: '901')."),
        ("Tenure", -1, "Tenure: 1 row is outside 0 to 60 (line 6: '-1')."),
        ("Balance", -0.01, "Balance: 1 row is outside 0 to 1e+08 (line 6: '-0.01')."),
        ("EstimatedSalary", np.inf, "EstimatedSalary: 1 row is outside 0 to 1e+08 (line 6: 'inf')."),
        ("NumOfProducts", 1.5, "NumOfProducts: 1 row is not one of 1, 2, 3, 4 (line 6: '1.5')."),
        ("IsActiveMember", 2, "IsActiveMember: 1 row is not one of 0, 1 (line 6: '2')."),
        ("Exited", 2, "Exited: 1 row is not one of 0, 1 (line 6: '2')."),
        ("Exited", "No", "Exited: 1 row is not one of 0, 1 (line 6: 'No')."),
        ("Exited", None, "Exited: 1 row is without a value (line 6)."),
        ("Balance", None, "Balance: 1 row is without a value (line 6)."),
        ("Gender", None, "Gender: 1 row is without a value (line 6)."),
        ("CustomerId", None, "CustomerId: 1 row is without a value (line 6)."),
    ],
)
def test_bad_value_is_shown_with_its_line(customers, column, value, expected):
    customers[column] = customers[column].astype(object)
    customers.loc[4, column] = value
    text = message(customers, source="mine.csv")
    assert text.startswith("mine.csv cannot be used, 1 problem:\n  - ")
    assert expected in text


@pytest.mark.parametrize("column", [name for name in NUMERIC if name in RANGES])
@pytest.mark.parametrize("kind", ["bool", "boolean", "object", "category"])
def test_true_and_false_are_no_numbers(customers, column, kind):
    customers[column] = pd.Series(np.arange(200) % 2 == 1).astype(kind)
    assert f"{column}: 200 rows are not a number (line 2: 'False', line 3: 'True', line 4:" in message(
        customers
    )


def test_single_true_among_numbers_is_refused(customers):
    customers = customers.astype({"NumOfProducts": object, "Tenure": object})
    customers.loc[4, ["NumOfProducts", "Tenure"]] = [True, np.True_]
    text = message(customers, target=False)
    assert "NumOfProducts: 1 row is not one of 1, 2, 3, 4 (line 6: 'True')" in text
    assert "Tenure: 1 row is not a number (line 6: 'True')" in text


def test_true_and_false_are_codes_of_binary_columns(customers):
    names = [*BINARY, TARGET]
    valid = validation.validate(customers.astype(dict.fromkeys(names, bool)))
    pd.testing.assert_frame_equal(valid[names], customers[names], check_dtype=False)


def test_identifiers_are_text_however_pandas_has_read_them(customers):
    for ids in (
        customers["CustomerId"],
        customers["CustomerId"].astype(float),
        customers["CustomerId"].astype(object),
    ):
        assert validation.validate(customers.assign(CustomerId=ids))["CustomerId"].tolist() == [
            str(number) for number in customers["CustomerId"]
        ]
    large = customers.assign(CustomerId=[10**19 + number for number in range(200)])
    assert validation.validate(large)["CustomerId"].iloc[7] == "10000000000000000007"
    customers["CustomerId"] = customers["CustomerId"].astype(object)
    customers.loc[[3, 8], "CustomerId"] = [4711, "4711"]
    assert "CustomerId: 2 rows are duplicates (line 5: '4711', line 10: '4711')" in message(customers)


def test_identifiers_unused_by_models_may_be_empty(customers):
    customers[["RowNumber", "Surname"]] = None
    assert len(validation.validate(customers)) == 200


def test_duplicate_customer_is_shown_with_both_lines(customers):
    customers.loc[[3, 8], "CustomerId"] = 4711
    assert (
        "CustomerId: 2 rows are duplicates (line 5: '4711', line 10: '4711'). Keep one row per customer."
        in message(customers)
    )


def test_one_error_lists_all_problems_in_column_order(customers):
    broken = customers.astype({"Age": object}).drop(columns="Tenure")
    broken.loc[:9, "Age"] = 120
    broken.loc[10, "Age"] = "old"
    broken.loc[11, "Age"] = None
    broken.loc[0, "Geography"] = "Italy"
    broken.loc[1, "CustomerId"] = broken.loc[0, "CustomerId"]
    broken.loc[5, "Exited"] = 3
    _, listed = validation.check(broken)
    assert [(problem.column, problem.kind, problem.rows) for problem in listed] == [
        ("CustomerId", problems.DUPLICATE, 2),
        ("Geography", problems.UNKNOWN_CATEGORY, 1),
        ("Age", problems.WRONG_TYPE, 1),
        ("Age", problems.MISSING_VALUE, 1),
        ("Age", problems.OUT_OF_RANGE, 10),
        ("Tenure", problems.MISSING_COLUMN, 0),
        ("Exited", problems.OUT_OF_RANGE, 1),
    ]
    text = message(broken)
    assert "7 problems:" in text
    assert all(f"\n  - {problem}" in text for problem in listed)
    assert "10 rows are outside 18 to 100 (line 2: '120', line 3: '120', line 4: '120', ...)" in text


@pytest.mark.parametrize("churned", [0, MIN_PER_CLASS - 1, 200 - MIN_PER_CLASS + 1, 200])
def test_too_few_customers_of_a_class_are_rejected(customers, churned):
    customers["Exited"] = (np.arange(200) < churned).astype(int)
    assert f"Exited: {200 - churned} customers retained (0) and {churned} churned (1)" in message(customers)


def test_minimum_per_class_is_enough_for_hold_out_and_folds(customers):
    customers["Exited"] = (np.arange(200) < MIN_PER_CLASS).astype(int)
    parts = split(validation.validate(customers))
    splits = folds().split(parts.X_train, parts.y_train)
    assert all(parts.y_train.iloc[rows].nunique() == 2 for fold in splits for rows in fold)
    assert parts.y_test.nunique() == 2


def test_table_without_rows_is_rejected(customers):
    assert "no rows below the header" in message(customers.head(0))


def test_new_customers_need_only_the_features(customers):
    assert list(validation.validate(customers[FEATURES], target=False)) == [
        name for name in COLUMNS if name in FEATURES
    ]
    assert "Age: the column is missing" in message(customers.drop(columns="Age"), target=False)


def test_outcomes_of_new_customers_are_checked_where_given_and_may_be_of_one_class(customers):
    assert validation.validate(customers.assign(Exited=0), target=False)[TARGET].eq(0).all()
    assert "Exited: 200 rows are not one of 0, 1" in message(customers.assign(Exited=5), target=False)


def test_tolerated_problems_pass():
    batch = make_customers(500, seed=7, shift={"missing": 0.2, "category": 0.1})
    kinds = {problem.kind for problem in validation.check(batch)[1]}
    assert kinds == {problems.MISSING_VALUE, problems.UNKNOWN_CATEGORY}
    valid = validation.validate(batch, tolerate=kinds)
    assert valid["CreditScore"].isna().sum() == batch["CreditScore"].isna().sum() > 0
    assert "Italy" in set(valid["Geography"])
    assert "CreditScore" in message(batch, tolerate={problems.UNKNOWN_CATEGORY})


def test_callers_table_is_not_modified(customers):
    before = customers.copy()
    validation.validate(customers)
    pd.testing.assert_frame_equal(customers, before)


def test_selected_rows_keep_their_line_numbers(customers):
    customers.loc[150, "Age"] = 5
    assert "line 152: '5'" in message(customers.drop(index=range(100)))
    assert "line 52: '5'" in message(customers.drop(index=range(100)).set_index("Surname", drop=False))


def test_signature_of_valid_features_gives_no_warning(customers, recwarn):
    signature = infer_signature(validation.validate(customers)[FEATURES])
    assert not [warning for warning in recwarn if "integer" in str(warning.message).lower()]
    assert {column.type for column in signature.inputs} == {DataType.double, DataType.string}


@needs_real_data
def test_real_table_is_valid():
    assert validation.check(pd.read_csv(REAL_DATA))[1] == []


@pytest.mark.parametrize("description", sorted((ROOT / "data").glob("*.yaml")), ids=lambda path: path.stem)
def test_data_readme_states_this_schema(description):
    table = read_description(description)
    rows = [line.split("|") for line in (ROOT / "data" / "README.md").read_text().splitlines()]
    stated = {row[1].strip(): row[3].strip() for row in rows if len(row) == 7}
    for name in table.columns:
        if bounds := table.bounds(name):
            assert stated[name] == "{:g} to {:g}".format(*bounds)
        elif choices := table.named_choices(name):
            assert stated[name] == ", ".join(choices)
    assert [name for name in stated if name in table.columns] == table.columns


def test_an_outcome_in_words_is_0_and_1_and_nothing_else_is(monkeypatch):
    monkeypatch.setenv("CHURN_TABLE", "data/telecom_churn.yaml")
    customers = load().head(300)
    words = customers.assign(Churn=customers["Churn"].map({0: "No", 1: "Yes"}).astype(object))
    assert validation.validate(words)["Churn"].equals(customers["Churn"])
    words.loc[words.index[:3], "Churn"] = ["1", 0, "yes"]
    assert "Churn: 3 rows are not one of No, Yes (line 2: '1', line 3: '0', line 4: 'yes')" in message(words)
