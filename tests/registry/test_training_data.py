import pytest

from helpers.data import load, merge_batch, save_table
from helpers.errors import DataError
from helpers.files import sha256
from helpers.registry.production import ProductionModel
from helpers.registry.production_stage import promote
from helpers.registry.training_data import not_in_production_training, training_data_path


@pytest.fixture
def table(store, add_version, tmp_path):
    """Return the path of the table that the production model was trained on."""
    path = save_table(load().head(1500), tmp_path / "merged")
    version = add_version("tree", data_sha256=sha256(path))
    promote(store.client, version.name, version.version, "test")
    return path


@pytest.fixture
def model(table, fitted):
    return ProductionModel(fitted["tree"], 1, 0.3, "", sha256(table))


def test_the_training_table_is_found_where_it_is_given_and_in_a_folder_of_merged_tables(store, model, table):
    assert training_data_path(store, model, str(table)) == table
    assert training_data_path(store, model, also=table.parent) == table
    with pytest.raises(DataError, match="churn version 1 was trained on a table with sha256"):
        training_data_path(store, model)


def test_another_file_is_refused(store, model, table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_bytes(table.read_bytes() + b"\n")
    with pytest.raises(DataError, match="Give it as `data`, unchanged"):
        training_data_path(store, model, str(other))


def test_only_customers_outside_the_training_part_are_new(store, table):
    customers = merge_batch(load(table), load().iloc[1500:2300]).table
    new = not_in_production_training(store, customers, str(table))
    assert (~new).sum() == 1200  # the training part of 1,500 customers


def test_if_the_training_table_is_missing_all_customers_count_as_new_with_a_warning(store, table):
    customers = load(table)
    table.unlink()
    with pytest.warns(UserWarning, match=r"trained on some held-out customers.*Give it as `production_data`"):
        assert not_in_production_training(store, customers).all()
    other = table.with_name("other.csv")
    other.write_text("not that file")
    with pytest.raises(DataError, match="is that file"):
        not_in_production_training(store, customers, str(other))


def test_everyone_is_new_if_nothing_is_in_production(store):
    assert not_in_production_training(store, load().head(20)).all()
