import numpy as np
import pandas as pd
import pytest

from helpers.data.loading import load, split
from helpers.data.merging import customer_ids, merge_batch, save_table
from helpers.data.synthetic import make_customers
from helpers.data.validation import validate
from helpers.errors import DataError
from helpers.files import sha256
from helpers.monitoring.monitor import TOLERATED
from tests.support.bank import TARGET
from tests.support.exports import described_with


@pytest.fixture(scope="module")
def old() -> pd.DataFrame:
    return load().head(2000)


@pytest.fixture
def batch() -> pd.DataFrame:
    return validate(make_customers(500, 50), target=False, tolerate=TOLERATED)


def test_every_row_is_merged_or_dropped_for_a_reason(old, batch):
    batch[TARGET] = batch[TARGET].astype("float64")
    batch.loc[:9, TARGET] = np.nan
    batch.loc[10:14, "CustomerId"] = np.nan
    batch.loc[13:20, "Age"] = np.nan
    batch.loc[30:32, "Geography"] = "Italy"
    batch.loc[40:42, "CustomerId"] = old["CustomerId"].iloc[:3].to_numpy()
    merged = merge_batch(old, batch)
    assert merged.dropped == {"no outcome": 10, "no CustomerId": 5, "missing value": 6, "new category": 3}
    assert (merged.kept, merged.added, merged.replaced) == (1997, 500 - 24, 3)
    assert merged.churned == merged.table[TARGET].sum() - old[TARGET].iloc[3:].sum()
    assert len(merged.table) == merged.kept + merged.added == merged.table["CustomerId"].nunique()
    # For customers in both tables the new row counts.
    chosen = merged.table.set_index("CustomerId").loc[customer_ids(old).iloc[:3], "EstimatedSalary"]
    assert chosen.to_list() == batch.loc[40:42, "EstimatedSalary"].to_list()


def test_customers_are_compared_as_text(old, batch):
    ids = old["CustomerId"]
    batch["CustomerId"] = ["00" + ids.iloc[0], ids.iloc[1] + " ", *ids.iloc[2:500]]
    merged = merge_batch(old, batch)
    assert (merged.kept, merged.replaced) == (1502, 498)
    assert {*ids.iloc[:2], *batch["CustomerId"].iloc[:2]} <= set(merged.table["CustomerId"])


def test_merged_file_keeps_identifiers(old, batch, tmp_path):
    batch["CustomerId"] = [f"{number:020}" for number in range(490)] + [f"{number}E0" for number in range(10)]
    again = load(save_table(merge_batch(old, batch).table, tmp_path))
    assert set(again["CustomerId"]) == {*old["CustomerId"], *batch["CustomerId"]}


def test_file_is_a_training_table_with_the_same_bytes_every_time(old, batch, tmp_path):
    path = save_table(merge_batch(old, batch).table, tmp_path)
    again = load(path)
    assert path.name == f"customers-{sha256(path)[:12]}.csv"
    assert save_table(merge_batch(old, batch).table, tmp_path) == path
    assert save_table(merge_batch(again, batch).table, tmp_path) == path  # the same batch once more
    assert save_table(merge_batch(old, batch.iloc[::-1]).table, tmp_path) == path
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    features = [name for name in old if name not in ("RowNumber", "CustomerId")]
    expected = pd.concat([old, batch]).set_index("CustomerId")[features[1:]]
    pd.testing.assert_frame_equal(
        again.set_index("CustomerId")[features[1:]].sort_index(), expected.sort_index(), check_like=True
    )


def test_row_numbers_and_surnames_are_optional(old, batch, tmp_path):
    bare = batch.drop(columns=["RowNumber", "Surname"])
    assert len(load(save_table(merge_batch(old, bare).table, tmp_path))) == 2500


def test_customer_id_is_required(old, batch):
    with pytest.raises(DataError, match="CustomerId: the column is missing"):
        merge_batch(old, batch.drop(columns="CustomerId"))


def test_nothing_is_added_without_outcomes(old, batch):
    merged = merge_batch(old, batch.drop(columns=TARGET))
    assert (merged.added, merged.dropped["no outcome"], len(merged.table)) == (0, 500, 2000)


def test_hold_outs_of_old_and_merged_table_are_independent():
    """Otherwise the customers new to both models would have another churn rate than the rest."""
    old = load()
    table = merge_batch(old, validate(make_customers(2000, 50), target=False)).table
    trained_on = customer_ids(old.loc[split(old).X_train.index])
    held_out = table.loc[split(table).X_test.index]
    fair = held_out[~customer_ids(held_out).isin(trained_on)]
    assert 700 < len(fair) < 900  # a fifth of the new ones, and a fifth of the old hold-out
    assert fair[TARGET].mean() == pytest.approx(table[TARGET].mean(), abs=0.03)


@pytest.mark.parametrize("decimal", ["", "decimal: comma\n", "decimal: point\n"])
def test_a_merged_table_can_be_read_in_one_way_only(old, batch, tmp_path, monkeypatch, decimal):
    monkeypatch.setenv("CHURN_TABLE", str(described_with(tmp_path, decimal)))
    table = merge_batch(old, batch).table.assign(Balance=83.808)
    again = load(save_table(table, tmp_path))
    pd.testing.assert_frame_equal(again, table.astype({"RowNumber": "str"}))
