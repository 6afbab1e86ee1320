"""The bank's synthetic customers: reproducible, calibrated to the public table, shifted only on request."""

import hashlib

import pandas as pd
import pytest

from helpers.data import validation
from helpers.data.synthetic import bank, make_customers
from helpers.errors import ExitCode, SettingError
from helpers.files import sha256
from helpers.tracking import connect, search_runs
from tests.support import stores
from tests.support.bank import EMBEDDED_DATA, FEATURES, NEW_CUSTOMERS
from tests.support.command import churn
from tests.support.paths import PUBLISHED, REAL_DATA, needs_real_data

# The public table's churn rate by group.
GROUP_RATES = {
    "Geography": {"France": 0.162, "Germany": 0.324, "Spain": 0.167},
    "NumOfProducts": {1: 0.277, 2: 0.076, 3: 0.827, 4: 1.0},
    "Gender": {"Female": 0.251, "Male": 0.165},
    "IsActiveMember": {0: 0.269, 1: 0.143},
}


@pytest.fixture(scope="module")
def usual() -> pd.DataFrame:
    return make_customers(20_000, seed=11)


def test_embedded_sample_is_reproduced_byte_for_byte(tmp_path):
    assert churn("generate", "--out", tmp_path / "again.csv") == 0
    assert (tmp_path / "again.csv").read_bytes() == EMBEDDED_DATA.read_bytes()
    assert churn("generate", "--rows", 2000, "--seed", 7, "--out", tmp_path / "again.csv") == 0
    assert (tmp_path / "again.csv").read_bytes() == NEW_CUSTOMERS.read_bytes()


@pytest.mark.parametrize("customers", [pd.read_csv(EMBEDDED_DATA), make_customers(300_000, seed=12)])
def test_rates_are_those_of_the_public_table(customers):
    for column, rates in GROUP_RATES.items():
        actual = customers.groupby(column)["Exited"].mean()
        for group, rate in rates.items():
            assert actual[group] == pytest.approx(rate, abs=0.015), f"{column} {group}"
    assert customers["Exited"].mean() == pytest.approx(0.2037, abs=0.015)
    assert (customers["Balance"] == 0).mean() == pytest.approx(0.362, abs=0.015)
    assert not (customers.loc[customers["Geography"] == "Germany", "Balance"] == 0).any()
    assert customers["Age"].mean() == pytest.approx(38.9, abs=0.3)
    assert customers["Age"].min() == 18 and customers["Age"].max() <= 92


@pytest.mark.parametrize("algorithm", PUBLISHED)
def test_models_score_about_as_well_as_on_the_public_table(algorithm):
    with stores.in_use(stores.trained()):
        store = connect()
        query = f"tags.level = 'model' and tags.algorithm = '{algorithm}'"
        (run,) = search_runs(store.client, store.experiment_id, query)
    f1, auc = PUBLISHED[algorithm]
    assert run.data.tags["data_sha256"] == sha256(EMBEDDED_DATA)
    assert run.data.metrics["cv_val_f1_mean"] == pytest.approx(f1, abs=0.03)
    assert run.data.metrics["test_roc_auc"] == pytest.approx(auc, abs=0.02)


@needs_real_data
def test_sample_has_no_customer_of_the_public_table():
    real, sample = pd.read_csv(REAL_DATA), pd.read_csv(EMBEDDED_DATA)
    assert not set(real["CustomerId"]) & set(sample["CustomerId"])
    assert real[FEATURES].merge(sample[FEATURES]).empty


def test_same_seed_gives_same_customers_and_another_seed_other_ones(usual):
    pd.testing.assert_frame_equal(make_customers(20_000, seed=11), usual)
    other = make_customers(20_000, seed=12)
    assert not set(other["CustomerId"]) & set(usual["CustomerId"])
    assert (other["EstimatedSalary"] != usual["EstimatedSalary"]).mean() > 0.99


def test_every_shift_at_once_gives_the_customers_that_it_always_gave():
    customers = make_customers(3000, 5, dict(covariate=0.5, missing=0.2, category=0.1, concept=0.7))
    text = customers.to_csv(index=False, lineterminator="\n")
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "67b3f9e411e655e44fc5ea1373541c65229e21fbd55e402aa2beca67d7a2a74c"
    )


@pytest.mark.parametrize("n", [1, 2, 20_000])
def test_any_number_of_valid_customers(n):
    customers = make_customers(n, seed=5)
    assert len(customers) == n
    assert validation.check(customers, target=n > 100)[1] == []


def changed(usual: pd.DataFrame, shifted: pd.DataFrame) -> set[str]:
    return {name for name in usual if not usual[name].equals(shifted[name])}


@pytest.mark.parametrize("name", bank.SHIFTS)
def test_shift_of_strength_zero_changes_nothing(usual, name):
    pd.testing.assert_frame_equal(make_customers(20_000, seed=11, shift={name: 0}), usual)


def test_covariate_shift_makes_customers_older_and_richer(usual):
    shifted = make_customers(20_000, seed=11, shift={"covariate": 0.5})
    assert changed(usual, shifted) == {"Age", "Balance", "Exited"}
    assert (shifted["Age"] - usual["Age"]).median() == 5
    assert shifted["Balance"].sum() == pytest.approx(1.25 * usual["Balance"].sum())
    assert validation.check(make_customers(20_000, seed=11, shift={"covariate": 1}))[1] == []


def test_concept_shift_changes_who_churns_but_not_how_many(usual):
    shifted = make_customers(20_000, seed=11, shift={"concept": 1})
    assert changed(usual, shifted) == {"Exited"}
    assert shifted["Exited"].mean() == pytest.approx(usual["Exited"].mean(), abs=0.01)
    assert usual.corr(numeric_only=True).loc["Age", "Exited"] > 0.2
    assert shifted.corr(numeric_only=True).loc["Age", "Exited"] < -0.2


def test_missing_values_and_new_category_have_the_requested_share(usual):
    shifted = make_customers(20_000, seed=11, shift={"missing": 0.1, "category": 0.05})
    assert changed(usual, shifted) == {"CreditScore", "Geography"}
    assert shifted["CreditScore"].isna().mean() == pytest.approx(0.1, abs=0.01)
    assert (shifted["Geography"] == "Italy").mean() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"seed": -1}, "seed not negative"),
        (
            {"shift": {"weather": 1}},
            "unknown shift 'weather': choose from covariate, concept, missing, category",
        ),
        ({"shift": {"missing": 1.5}}, "strength of shift 'missing' must be in 0 to 1, not 1.5"),
    ],
)
def test_invalid_argument_is_named(arguments, expected):
    with pytest.raises(SettingError, match=expected):
        make_customers(**{"n": 10, "seed": 1} | arguments)


def test_command_writes_a_shifted_file(tmp_path):
    out = tmp_path / "x.csv"
    shifts = ("--shift", "category=0.5", "--shift", "missing=0.2")
    assert churn("generate", "--rows", 300, "--seed", 4, *shifts, "--out", out) == 0
    written = pd.read_csv(out)
    assert len(written) == 300 and "Italy" in set(written["Geography"])
    assert written["CreditScore"].isna().any()


def test_an_earlier_file_is_replaced_and_a_banks_own_table_is_not(tmp_path, capsys):
    table = tmp_path / "customers.csv"
    for seed in (4, 5):
        assert churn("generate", "--rows", 300, "--seed", seed, "--out", table) == 0
    own = pd.read_csv(table)
    own.loc[7, "CustomerId"] += 1000
    own.to_csv(table, index=False)
    before = table.read_bytes()
    assert churn("generate", "--rows", 300, "--out", table) == ExitCode.USAGE
    assert "is not an earlier output of this kind" in capsys.readouterr().err
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("shift", "expected"),
    [("category", "--shift takes NAME=STRENGTH"), ("category=2", "shift 'category' must be in 0 to 1")],
)
def test_command_rejects_an_invalid_shift(tmp_path, capsys, shift, expected):
    assert churn("generate", "--shift", shift, "--out", tmp_path / "x.csv") == ExitCode.USAGE
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()
