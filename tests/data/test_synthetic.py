"""The generator: reproducible, calibrated to the public table's figures, shifted only where asked."""

import subprocess
import sys

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from helpers.config import EMBEDDED_DATA, FEATURES
from helpers.data import loading, schema, synthetic
from helpers.data.synthetic import make_customers
from helpers.training.algorithms import add_step_prefix, make_grid, make_pipeline
from tests.support.paths import REAL_DATA, needs_real_data

# The public table's churn rate by group and, last, its other figures; the tolerance is 1.5 points.
GROUP_RATES = {
    "Geography": {"France": 0.162, "Germany": 0.324, "Spain": 0.167},
    "NumOfProducts": {1: 0.277, 2: 0.076, 3: 0.827, 4: 1.0},
    "Gender": {"Female": 0.251, "Male": 0.165},
    "IsActiveMember": {0: 0.269, 1: 0.143},
}
# Best cross-validated F1 and the hold-out's ROC AUC, default grids, on the public table.
SCORES = {
    "knn": (0.5226, 0.809),
    "logreg": (0.4936, 0.770),
    "tree": (0.5708, 0.842),
    "forest": (0.6124, 0.861),
}


@pytest.fixture(scope="module")
def usual() -> pd.DataFrame:
    return make_customers(20_000, seed=11)


def test_the_sample_is_what_the_generator_makes(tmp_path):
    synthetic.main(["--out", str(tmp_path / "again.csv")])
    assert (tmp_path / "again.csv").read_bytes() == EMBEDDED_DATA.read_bytes()


@pytest.mark.parametrize("customers", [pd.read_csv(EMBEDDED_DATA), make_customers(300_000, seed=12)])
def test_the_figures_are_the_public_tables(customers):
    for column, rates in GROUP_RATES.items():
        found = customers.groupby(column)["Exited"].mean()
        for group, rate in rates.items():
            assert found[group] == pytest.approx(rate, abs=0.015), f"{column} {group}"
    assert customers["Exited"].mean() == pytest.approx(0.2037, abs=0.015)
    assert (customers["Balance"] == 0).mean() == pytest.approx(0.362, abs=0.015)
    assert not (customers.loc[customers["Geography"] == "Germany", "Balance"] == 0).any()
    assert customers["Age"].mean() == pytest.approx(38.9, abs=0.3)
    assert customers["Age"].min() == 18 and customers["Age"].max() <= 92


@pytest.mark.stack
@pytest.mark.parametrize("algorithm", SCORES)
def test_models_find_about_as_much_as_in_the_public_table(algorithm):
    parts = loading.split(loading.load(EMBEDDED_DATA))
    folds = StratifiedKFold(5, shuffle=True, random_state=42)
    search = GridSearchCV(
        make_pipeline(algorithm), add_step_prefix(make_grid(algorithm)), scoring="f1", cv=folds, n_jobs=-1
    ).fit(parts.X_train, parts.y_train)
    f1, auc = SCORES[algorithm]
    assert search.best_score_ == pytest.approx(f1, abs=0.03)
    found = roc_auc_score(parts.y_test, search.predict_proba(parts.X_test)[:, 1])
    assert found == pytest.approx(auc, abs=0.02)


@needs_real_data
def test_no_customer_of_the_public_table_is_in_the_sample():
    real, sample = pd.read_csv(REAL_DATA), pd.read_csv(EMBEDDED_DATA)
    assert not set(real["CustomerId"]) & set(sample["CustomerId"])
    assert real[FEATURES].merge(sample[FEATURES]).empty


def test_the_same_seed_gives_the_same_customers_and_another_gives_others(usual):
    pd.testing.assert_frame_equal(make_customers(20_000, seed=11), usual)
    other = make_customers(20_000, seed=12)
    assert not set(other["CustomerId"]) & set(usual["CustomerId"])
    assert (other["EstimatedSalary"] != usual["EstimatedSalary"]).mean() > 0.99


@pytest.mark.parametrize("n", [1, 2, 20_000])
def test_any_number_of_valid_customers(n):
    customers = make_customers(n, seed=5)
    assert len(customers) == n
    assert schema.problems(customers, target=n > 100) == []


def changed(usual: pd.DataFrame, shifted: pd.DataFrame) -> set[str]:
    return {name for name in usual if not usual[name].equals(shifted[name])}


@pytest.mark.parametrize("name", synthetic.SHIFTS)
def test_a_shift_of_no_strength_changes_nothing(usual, name):
    pd.testing.assert_frame_equal(make_customers(20_000, seed=11, shift={name: 0}), usual)


def test_covariate_shift_makes_customers_older_and_richer(usual):
    shifted = make_customers(20_000, seed=11, shift={"covariate": 0.5})
    assert changed(usual, shifted) == {"Age", "Balance", "Exited"}
    assert (shifted["Age"] - usual["Age"]).median() == 5
    assert shifted["Balance"].sum() == pytest.approx(1.25 * usual["Balance"].sum())
    assert schema.problems(make_customers(20_000, seed=11, shift={"covariate": 1})) == []


def test_concept_shift_changes_who_leaves_but_not_how_many(usual):
    shifted = make_customers(20_000, seed=11, shift={"concept": 1})
    assert changed(usual, shifted) == {"Exited"}
    assert shifted["Exited"].mean() == pytest.approx(usual["Exited"].mean(), abs=0.01)
    assert usual.corr(numeric_only=True).loc["Age", "Exited"] > 0.2
    assert shifted.corr(numeric_only=True).loc["Age", "Exited"] < -0.2


def test_missing_values_and_a_new_category_come_at_their_share(usual):
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
def test_bad_arguments_are_refused_by_name(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        make_customers(**{"n": 10, "seed": 1} | arguments)


def test_the_command_writes_a_shifted_file_and_refuses_bad_settings(tmp_path):
    out = tmp_path / "x.csv"
    command = [
        sys.executable,
        "-m",
        "helpers.data.synthetic",
        "--rows",
        "300",
        "--seed",
        "4",
        "--out",
        str(out),
    ]
    subprocess.run([*command, "--shift", "category=0.5", "--shift", "missing=0.2"], check=True)
    written = loading.read_csv(out)
    assert (
        len(written) == 300 and "Italy" in set(written["Geography"]) and written["CreditScore"].isna().any()
    )
    refused = subprocess.run([*command, "--shift", "category"], capture_output=True, text=True)
    assert refused.returncode == 2 and "shift 'category' must be in 0 to 1" in refused.stderr
