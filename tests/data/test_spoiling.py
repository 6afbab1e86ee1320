import pytest

from helpers.data import load, spoil
from helpers.data.problems import (
    DUPLICATE,
    MISSING_COLUMN,
    MISSING_VALUE,
    OUT_OF_RANGE,
    UNKNOWN_CATEGORY,
    WRONG_TYPE,
)
from helpers.data.validation import check
from helpers.table import use_table
from tests.support.bank import EMBEDDED_DATA
from tests.support.wide import write_wide_table


def kinds(table) -> set[str]:
    return {problem.kind for problem in check(spoil(table.head(1000)))[1]}


def test_each_kind_of_problem_occurs_in_the_banks_table():
    every = {DUPLICATE, MISSING_COLUMN, MISSING_VALUE, OUT_OF_RANGE, UNKNOWN_CATEGORY, WRONG_TYPE}
    assert kinds(load(EMBEDDED_DATA)) == every


@pytest.mark.filterwarnings("error")
def test_of_another_table_those_that_it_can_have(tmp_path):
    description, table = write_wide_table(tmp_path)  # its numbers have no range
    use_table(description)
    assert kinds(load(table)) == {DUPLICATE, MISSING_COLUMN, MISSING_VALUE, UNKNOWN_CATEGORY, WRONG_TYPE}
