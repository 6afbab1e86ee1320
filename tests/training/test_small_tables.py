"""Tables that the schema accepts and a grid cannot take are refused before the search."""

import json

import pandas as pd
import pytest

from helpers.config import SCORES, SELECT_BY, folds
from helpers.data import make_customers, split, validate
from helpers.errors import DataError, SettingError
from helpers.search import grid_search
from helpers.training import add_step_prefix, check_table_size, make_grid, make_pipeline
from helpers.training.algorithms import ALGORITHMS


@pytest.fixture(scope="module")
def tiny():
    """Return the split of the smallest table that the schema accepts: ten customers of each class."""
    customers = make_customers(200, seed=3)
    table = pd.concat([group.head(10) for _, group in customers.groupby("Exited")], ignore_index=True)
    return split(validate(table))


def test_too_many_neighbors_are_refused_with_a_grid_that_fits(tiny):
    grid = make_grid("knn")
    with pytest.raises(
        SettingError, match=r"n_neighbors of 15, 21, 31: .* 12 is the largest that fits"
    ) as error:
        check_table_size("knn", grid, tiny.y_train)
    text = str(error.value)
    advised = make_grid("knn", text[text.index("{") : text.rindex("}") + 1])
    assert advised == {**grid, "n_neighbors": [3, 5, 7, 9, 11]}
    search(tiny, "knn", advised)


def test_the_largest_number_of_neighbors_fits_and_one_more_does_not(tiny):
    check_table_size("knn", {"n_neighbors": [12]}, tiny.y_train)
    search(tiny, "knn", {"n_neighbors": [12]})
    with pytest.raises(SettingError, match=r"n_neighbors of 13: .*\"n_neighbors\": \[12\]"):
        check_table_size("knn", {"n_neighbors": [13]}, tiny.y_train)


def test_neighbors_that_are_not_in_the_grid_are_checked(tiny, monkeypatch):
    monkeypatch.setattr(ALGORITHMS["knn"].estimator, "n_neighbors", 40)
    with pytest.raises(SettingError, match="n_neighbors of 40"):
        check_table_size("knn", {"p": [1, 2]}, tiny.y_train)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "knn"])
def test_other_algorithms_take_the_smallest_table(tiny, name):
    grid = {key: values[:1] for key, values in make_grid(name).items()}
    check_table_size(name, make_grid(name), tiny.y_train)
    search(tiny, name, grid)


def test_a_class_that_is_too_small_for_the_folds_is_refused(tiny):
    y = pd.Series([0] * 20 + [1] * 4)
    with pytest.raises(DataError, match="4 customers of the rarer class: 5 folds need at least 5"):
        check_table_size("tree", make_grid("tree"), y)


def search(tiny, name: str, grid: dict) -> None:
    """Search without an error; JSON keys and values of a message are those of a grid."""
    assert json.loads(json.dumps(grid)) == grid
    grid_search(
        make_pipeline(name),
        add_step_prefix(grid),
        tiny.X_train,
        tiny.y_train,
        cv=folds(),
        scoring=SCORES,
        refit=SELECT_BY,
        n_jobs=1,
    )
