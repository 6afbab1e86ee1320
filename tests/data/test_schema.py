"""The schema: every kind of problem is found, all at once, and named with column, rows and examples."""

import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from mlflow.types import DataType

from helpers.config import BINARY, FEATURES, NUMERIC, ROOT, TARGET
from helpers.data import schema
from helpers.data.synthetic import make_customers
from helpers.errors import DataError
from tests.support.paths import REAL_DATA, needs_real_data


@pytest.fixture
def customers() -> pd.DataFrame:
    return make_customers(200, seed=7)


def message(df: pd.DataFrame, **kwargs) -> str:
    with pytest.raises(DataError) as error:
        schema.validate(df, **kwargs)
    return str(error.value)


def test_a_good_table_comes_back_in_the_projects_types(customers):
    valid = schema.validate(customers)
    assert list(valid) == schema.COLUMNS
    assert set(valid[NUMERIC + BINARY].dtypes.astype(str)) == {"float64"}
    assert valid[TARGET].dtype == "int64"
    pd.testing.assert_frame_equal(valid, customers, check_dtype=False)


def test_extra_columns_are_dropped_and_the_order_restored(customers):
    shuffled = customers.assign(Score=1.0)[["Score", *reversed(schema.COLUMNS)]]
    assert list(schema.validate(shuffled)) == schema.COLUMNS


@pytest.mark.parametrize("column", schema.COLUMNS)
def test_a_missing_column_is_named(customers, column):
    assert f"{column}: the column is missing: add it" in message(customers.drop(columns=column))


def test_a_misspelled_column_is_pointed_at(customers):
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
def test_one_bad_value_is_shown_with_its_line(customers, column, value, expected):
    customers[column] = customers[column].astype(object)
    customers.loc[4, column] = value
    text = message(customers, source="mine.csv")
    assert text.startswith("mine.csv cannot be used, 1 problem:\n  - ")
    assert expected in text


def test_identifiers_that_no_model_sees_may_be_empty(customers):
    customers[["RowNumber", "Surname"]] = None
    assert len(schema.validate(customers)) == 200


def test_a_customer_twice_is_shown_with_both_lines(customers):
    customers.loc[[3, 8], "CustomerId"] = 4711
    assert (
        "CustomerId: 2 rows are not the only one of the customer (line 5: '4711', line 10: '4711')"
        in message(customers)
    )


def test_all_problems_stand_in_one_error_in_the_columns_order(customers):
    broken = customers.astype({"Age": object, "Tenure": object}).drop(columns="Surname")
    broken.loc[:9, "Age"] = 120
    broken.loc[10, "Age"] = "old"
    broken.loc[11, "Age"] = None
    broken.loc[0, "Geography"] = "Italy"
    broken.loc[1, "CustomerId"] = broken.loc[0, "CustomerId"]
    broken.loc[5, "Exited"] = 3
    found = schema.problems(broken)
    assert [(problem.column, problem.kind, problem.rows) for problem in found] == [
        ("CustomerId", schema.DUPLICATE, 2),
        ("Surname", schema.MISSING_COLUMN, 0),
        ("Geography", schema.UNKNOWN_CATEGORY, 1),
        ("Age", schema.WRONG_TYPE, 1),
        ("Age", schema.MISSING_VALUE, 1),
        ("Age", schema.OUT_OF_RANGE, 10),
        ("Exited", schema.OUT_OF_RANGE, 1),
    ]
    text = message(broken)
    assert "7 problems:" in text
    assert all(f"\n  - {problem}" in text for problem in found)
    assert "10 rows are outside 18 to 100 (line 2: '120', line 3: '120', line 4: '120', ...)" in text


@pytest.mark.parametrize("left", [0, schema.MIN_PER_CLASS - 1, 200 - schema.MIN_PER_CLASS + 1, 200])
def test_too_few_of_a_class_is_refused(customers, left):
    customers["Exited"] = (np.arange(200) < left).astype(int)
    assert f"Exited: {200 - left} customers stayed (0) and {left} left (1)" in message(customers)


def test_just_enough_of_a_class_can_be_split_five_times(customers):
    from sklearn.model_selection import StratifiedKFold

    from helpers.data.loading import split

    customers["Exited"] = (np.arange(200) < schema.MIN_PER_CLASS).astype(int)
    parts = split(schema.validate(customers))
    folds = StratifiedKFold(5, shuffle=True, random_state=42).split(parts.X_train, parts.y_train)
    assert all(parts.y_train.iloc[rows].nunique() == 2 for fold in folds for rows in fold)
    assert parts.y_test.nunique() == 2


def test_a_table_without_rows_is_refused(customers):
    assert "no rows below the header" in message(customers.head(0))


def test_new_customers_need_the_features_only(customers):
    assert list(schema.validate(customers[FEATURES], target=False)) == [
        name for name in schema.COLUMNS if name in FEATURES
    ]
    assert "Age: the column is missing" in message(customers.drop(columns="Age"), target=False)


def test_new_customers_outcomes_are_checked_where_given_and_may_be_all_alike(customers):
    assert schema.validate(customers.assign(Exited=0), target=False)[TARGET].eq(0).all()
    assert "Exited: 200 rows are not one of 0, 1" in message(customers.assign(Exited=5), target=False)


def test_a_batch_with_tolerated_problems_can_be_looked_at():
    batch = make_customers(500, seed=7, shift={"missing": 0.2, "category": 0.1})
    kinds = {problem.kind for problem in schema.problems(batch)}
    assert kinds == {schema.MISSING_VALUE, schema.UNKNOWN_CATEGORY}
    looked_at = schema.validate(batch, tolerate=kinds)
    assert looked_at["CreditScore"].isna().sum() == batch["CreditScore"].isna().sum() > 0
    assert "Italy" in set(looked_at["Geography"])
    assert "CreditScore" in message(batch, tolerate={schema.UNKNOWN_CATEGORY})


def test_the_callers_table_is_left_alone(customers):
    before = customers.copy()
    schema.validate(customers)
    pd.testing.assert_frame_equal(customers, before)


def test_rows_keep_their_line_numbers_after_a_selection(customers):
    customers.loc[150, "Age"] = 5
    assert "line 152: '5'" in message(customers.drop(index=range(100)))
    assert "line 52: '5'" in message(customers.drop(index=range(100)).set_index("Surname", drop=False))


def test_the_signature_of_valid_features_warns_of_nothing(customers, recwarn):
    signature = infer_signature(schema.validate(customers)[FEATURES])
    assert not [warning for warning in recwarn if "integer" in str(warning.message).lower()]
    assert {column.type for column in signature.inputs} == {DataType.double, DataType.string}


@needs_real_data
def test_the_real_table_is_fine_as_it_is():
    assert schema.problems(pd.read_csv(REAL_DATA)) == []


def test_the_data_readme_states_this_schema():
    rows = [line.split("|") for line in (ROOT / "data" / "README.md").read_text().splitlines()]
    stated = {row[1].strip(): row[3].strip() for row in rows if len(row) == 7}
    for name, (low, high) in schema.RANGES.items():
        assert stated[name] == f"{low} to {high:.0f}"
    for name, choices in schema.CHOICES.items():
        assert stated[name] == ", ".join(map(str, choices))
    assert [name for name in stated if name in schema.COLUMNS] == schema.COLUMNS
