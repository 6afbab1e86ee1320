"""The second use case: a telecom's customers, and what its generator does differently."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from helpers.config import ROOT
from helpers.data import is_synthetic, known_shifts, load, make_customers, new_customers_path, split, validate
from helpers.data.problems import MISSING_VALUE, UNKNOWN_CATEGORY
from helpers.data.synthetic import GENERATORS
from helpers.data.validation import check
from helpers.errors import DataError, ExitCode, SettingError
from helpers.table import current_table
from helpers.training import add_step_prefix, make_pipeline
from tests.support.bank import EMBEDDED_DATA as BANKS_SAMPLE
from tests.support.command import churn

TELECOM = ROOT / "data" / "telecom_churn.yaml"
SAMPLE, NEW_CUSTOMERS = TELECOM.with_suffix(".csv"), TELECOM.with_name("new_telecom_customers.csv")
# What is missing at random, without any shift.
MISSING = {"Data GB": 0.04, "Payment": 0.03}


@pytest.fixture(scope="module", autouse=True)
def telecom():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CHURN_DATA", raising=False)
        patch.setenv("CHURN_TABLE", str(TELECOM))
        yield


@pytest.fixture(scope="module")
def usual(telecom) -> pd.DataFrame:
    return make_customers(20_000, seed=11)


def shifted(**shift: float) -> pd.DataFrame:
    return make_customers(20_000, seed=11, shift=shift)


def changed(usual: pd.DataFrame, other: pd.DataFrame) -> set[str]:
    return {name for name in usual if not usual[name].equals(other[name])}


def test_embedded_samples_are_reproduced_byte_for_byte(tmp_path):
    assert churn("generate", "--rows", 5000, "--out", tmp_path / "again.csv") == 0
    assert (tmp_path / "again.csv").read_bytes() == SAMPLE.read_bytes()
    assert churn("generate", "--rows", 800, "--seed", 7, "--out", tmp_path / "again.csv") == 0
    assert (tmp_path / "again.csv").read_bytes() == NEW_CUSTOMERS.read_bytes()


def test_embedded_samples_are_read_as_the_description_says():
    customers, new = load(), load(new_customers_path(), target=False)
    assert list(customers) == list(new) == current_table().columns
    assert customers.attrs["source"] == "telecom_churn.csv (synthetic sample)"
    assert (len(customers), len(new)) == (5000, 800)
    assert not set(customers["Customer ID"]) & set(new["Customer ID"])
    for table in (customers, new):
        missing = table.isna().mean()
        assert missing[missing > 0].to_dict() == pytest.approx(MISSING, abs=0.015)
        assert table["Churn"].mean() == pytest.approx(0.25, abs=0.03)
    assert set(customers["Internet"]) == {"None", "DSL", "Fiber"}


@pytest.mark.parametrize("n", [1, 2, 20_000])
def test_any_number_of_valid_customers(n):
    customers = make_customers(n, seed=5)
    assert len(customers) == n and list(customers) == current_table().columns
    assert check(customers, target=n > 100)[1] == []


def test_same_seed_gives_same_customers_and_another_seed_other_ones(usual):
    pd.testing.assert_frame_equal(make_customers(20_000, seed=11), usual)
    other = make_customers(20_000, seed=12)
    assert usual["Customer ID"].str.fullmatch(r"T-\d{9}").all()
    assert not set(other["Customer ID"]) & set(usual["Customer ID"])
    assert (other["Monthly Charges"] != usual["Monthly Charges"]).mean() > 0.99


def test_every_value_occurs_and_missing_ones_are_as_many_as_stated(usual):
    described = current_table()
    for name in described.features:
        if choices := described.choices(name):
            assert set(usual[name].dropna()) == set(choices), name
    missing = usual.isna().mean()
    assert missing[missing > 0].to_dict() == pytest.approx(MISSING, abs=0.005)
    assert set(MISSING) == set(described.feature_names) - set(described.never_missing)


def test_shift_of_strength_zero_changes_nothing(usual):
    pd.testing.assert_frame_equal(shifted(**dict.fromkeys(known_shifts(), 0)), usual)


def test_covariate_shift_raises_bills_and_use(usual):
    more = shifted(covariate=0.5)
    assert changed(usual, more) == {"Monthly Charges", "Data GB", "Churn"}
    assert more["Monthly Charges"].sum() == pytest.approx(1.15 * usual["Monthly Charges"].sum(), rel=1e-4)
    assert more["Data GB"].sum() == pytest.approx(1.5 * usual["Data GB"].sum(), rel=1e-4)
    assert check(shifted(covariate=1))[1] == []


def test_concept_shift_changes_who_churns_but_not_how_many(usual):
    other = shifted(concept=1)
    assert changed(usual, other) == {"Churn"}
    assert (other["Churn"] == "Yes").mean() == pytest.approx((usual["Churn"] == "Yes").mean(), abs=0.01)
    assert usual["Tenure Months"].corr(usual["Churn"] == "Yes") < -0.2
    assert other["Tenure Months"].corr(other["Churn"] == "Yes") > 0.2


def test_missing_values_and_new_category_have_the_requested_share(usual):
    other = shifted(missing=0.1, category=0.05)
    assert changed(usual, other) == {"Monthly Charges", "Internet"}
    assert other["Monthly Charges"].isna().mean() == pytest.approx(0.1, abs=0.01)
    assert (other["Internet"] == "Satellite").mean() == pytest.approx(0.05, abs=0.01)
    assert {problem.kind for problem in check(other)[1]} == {MISSING_VALUE, UNKNOWN_CATEGORY}


# As stated in data/README.md.
@pytest.mark.parametrize(("algorithm", "auc"), [("logreg", 0.78), ("tree", 0.79), ("forest", 0.84)])
def test_models_find_as_much_as_stated(algorithm, auc):
    params = {
        "tree": {"max_depth": 7, "min_samples_leaf": 20},
        "forest": {"n_estimators": 200, "min_samples_leaf": 5},
    }
    parts = split(load())
    pipeline = make_pipeline(algorithm).set_params(**add_step_prefix(params.get(algorithm, {})))
    probability = pipeline.fit(parts.X_train, parts.y_train).predict_proba(parts.X_test)[:, 1]
    assert np.isfinite(probability).all()
    assert roc_auc_score(parts.y_test, probability) == pytest.approx(auc, abs=0.015)


def test_a_customer_with_missing_values_is_scored_and_without_internet_is_a_category():
    parts = split(load().head(1500))
    pipeline = make_pipeline("logreg").fit(parts.X_train, parts.y_train)
    names = list(pipeline[0].get_feature_names_out())
    assert "encode__Internet_None" in names
    assert "encode_category__Payment_missing" in names
    customer = parts.X_test.head(1).assign(**{"Data GB": np.nan, "Payment": np.nan})
    assert 0 < pipeline.predict_proba(customer)[0, 1] < 1


def test_command_knows_the_tables_own_shifts_and_files(tmp_path, capsys):
    out = tmp_path / "shifted.csv"
    for strength in (0.1, 0.5):  # its own file is replaced
        assert churn("generate", "--rows", 300, "--shift", f"category={strength}", "--out", out) == 0
    assert "Satellite" in set(pd.read_csv(out)["Internet"])
    assert is_synthetic(SAMPLE) and not is_synthetic(BANKS_SAMPLE) and not is_synthetic(TELECOM)
    customers = pd.read_csv(out)
    customers.iloc[:-1].to_csv(tmp_path / "own.csv", index=False)
    assert churn("generate", "--out", tmp_path / "own.csv") == ExitCode.USAGE
    assert "is not an earlier output of this kind" in capsys.readouterr().err


def test_another_tables_customers_are_refused(monkeypatch):
    customers = make_customers(300, seed=1)
    monkeypatch.delenv("CHURN_TABLE")
    with pytest.raises(DataError, match="CreditScore: the column is missing"):
        validate(customers)


@pytest.mark.parametrize("name", GENERATORS)
def test_help_names_and_readme_explains_every_shift(name, capsys):
    assert churn("generate", "--help") == 0
    text, readme = " ".join(capsys.readouterr().out.split()), (ROOT / "data" / "README.md").read_text()
    for shift, effect in GENERATORS[name].SHIFTS.items():
        assert shift in text and effect in readme


def test_table_without_generator_is_one_clear_error(monkeypatch, tmp_path, capsys):
    description = tmp_path / "shop.yaml"
    description.write_text(TELECOM.read_text().replace("name: telecom", "name: shop"))
    monkeypatch.setenv("CHURN_TABLE", str(description))
    for call in (known_shifts, lambda: make_customers(5, seed=1), lambda: is_synthetic(SAMPLE)):
        with pytest.raises(SettingError, match=r"^no generator for shop: .* for churn, telecom only$"):
            call()
    assert churn("generate", "--out", tmp_path / "x.csv") == ExitCode.USAGE
    assert "Error: no generator for shop: " in capsys.readouterr().err
