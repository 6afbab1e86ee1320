import pandas as pd
import pytest

from helpers.data.problems import EXAMPLES, MISSING_VALUE, bad_values, missing_column, rows_are


def test_number_of_rows_agrees_with_its_verb():
    assert (rows_are(1), rows_are(2)) == ("1 row is", "2 rows are")


def test_only_the_first_rows_are_shown():
    lines = pd.RangeIndex(2, 12, name="line")
    text = str(bad_values("Age", "in_range", pd.Series(range(200, 210)), lines))
    assert text.startswith("Age: 10 rows are outside 18 to 100 (line 2: '200', ")
    assert text.count("line ") == EXAMPLES and ", ...). Correct or remove the rows." in text


def test_long_values_are_cut():
    problem = bad_values("Age", "to_numeric", pd.Series(["x" * 100]), pd.Index([2], name="line"))
    assert f"'{'x' * 40}')" in problem.text


def test_missing_values_are_shown_without_their_value():
    problem = bad_values("Age", "not_nullable", pd.Series([None]), pd.Index(["batch-7"], name="row"))
    assert problem.kind == MISSING_VALUE
    assert problem.text == "1 row is without a value (row batch-7). Fill in or remove the rows."


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (["age "], "rename 'age ' to it"),
        (["Aged"], "rename 'Aged' to it"),
        (["Years"], "add it, spelled exactly"),
    ],
)
def test_missing_column_is_matched_with_a_similar_one(columns, hint):
    assert hint in missing_column("Age", pd.Index(columns)).text
