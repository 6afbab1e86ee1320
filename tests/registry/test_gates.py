import re

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.data import customer_ids, load, merge_batch, split
from helpers.errors import RegistryError
from helpers.files import sha256
from helpers.registry.gates import Gate, all_passed, run_gates
from helpers.registry.production_stage import promote
from helpers.registry.training_data import not_in_production_training
from helpers.registry.versions import load_version
from helpers.training import evaluate, make_pipeline
from tests.support.bank import FEATURES, TARGET

GATES = ["same schema", "sound probabilities", "better than no model", "not below production"]
COSTS = {"missed_cost": 3.0, "wasted_cost": 2.0}


def gate_results(store, challenger, sample, comparable=None) -> list[Gate]:
    return run_gates(store.client, challenger, sample.X_train, sample.X_test, sample.y_test, comparable)


def verdicts(store, challenger, sample) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in gate_results(store, challenger, sample)}


def test_first_challenger_passes_every_gate(store, add_version, sample):
    assert verdicts(store, add_version("forest"), sample) == dict.fromkeys(GATES, True)


def test_challenger_below_the_production_version_is_rejected(store, add_version, fitted, sample):
    good = add_version("forest", model=fitted["forest"])
    promote(store.client, good.name, good.version, "good")
    weak = fitted["tree"].__class__(fitted["tree"].steps).set_params(classify__max_depth=1)
    weak.fit(sample.X_train, sample.y_train)
    results = verdicts(store, add_version("tree", model=weak), sample)
    assert not results["not below production"]
    assert results["same schema"]


def test_the_production_version_is_not_below_itself(store, add_version, sample):
    version = add_version("forest")
    promote(store.client, version.name, version.version, "good")
    assert verdicts(store, version, sample)["not below production"]


def test_the_detail_has_the_cost_of_each_version_at_its_own_threshold(store, add_version, fitted, sample):
    production = add_version("tree", threshold=0.4, costs={"missed_cost": 5.0, "wasted_cost": 1.0})
    promote(store.client, production.name, production.version, "good")
    challenger = add_version("forest", threshold=0.2, costs=COSTS)
    comparable = pd.Series(sample.X_test.index % 2 == 0, index=sample.X_test.index)
    gate = gate_results(store, challenger, sample, comparable)[-1]
    means = []
    for name, threshold in (("forest", 0.2), ("tree", 0.4)):
        probability = fitted[name].predict_proba(sample.X_test)[:, 1]
        contact = probability >= threshold
        cost = (~contact & (sample.y_test == 1)) * 3.0 + (contact & (sample.y_test == 0)) * 2.0
        means.append(cost[comparable].mean())
    assert gate.detail.endswith(
        f"; cost per customer {means[0]:.4f}, production {means[1]:.4f}, each at its own threshold"
    )
    assert means[0] != means[1]


@pytest.mark.parametrize(
    ("production_threshold", "threshold", "costs"),
    [(None, 0.3, COSTS), (0.3, None, COSTS), (0.3, 0.3, None), (0.3, 0.3, {"missed_cost": 3.0})],
)
def test_without_threshold_or_costs_the_detail_is_f1_alone(
    store, add_version, sample, production_threshold, threshold, costs
):
    production = add_version("tree", threshold=production_threshold, costs=COSTS)
    promote(store.client, production.name, production.version, "good")
    challenger = add_version("forest", threshold=threshold, costs=costs)
    gate = gate_results(store, challenger, sample)[-1]
    assert gate.detail.startswith("hold-out F1") and "cost" not in gate.detail


def test_a_more_expensive_challenger_passes_by_its_f1(store, add_version, sample):
    production = add_version("forest", threshold=0.2, costs=COSTS)
    promote(store.client, production.name, production.version, "good")
    expensive = add_version("forest", threshold=0.99, costs={"missed_cost": 50.0, "wasted_cost": 1.0})
    gate = gate_results(store, expensive, sample)[-1]
    cost, baseline = re.search(r"cost per customer ([\d.]+), production ([\d.]+)", gate.detail).groups()
    assert gate.passed and float(cost) > float(baseline)


def test_other_columns_than_the_production_version_are_rejected(store, add_version, sample):
    production = add_version("forest")
    promote(store.client, production.name, production.version, "good")
    columns = ["Age", "Balance"]
    model = LogisticRegression().fit(sample.X_train[columns], sample.y_train)
    version = add_version("logreg", model=model, columns=columns)
    assert verdicts(store, version, sample) == {"same schema": False}


@pytest.fixture
def memorized(store, add_version, tmp_path):
    """Return a table and one merged with newer customers; the production model memorized the first."""
    customers = load()
    path = tmp_path / "old.csv"
    customers.head(1500).to_csv(path, index=False)
    memorizer = make_pipeline("tree").set_params(classify__max_depth=None, classify__class_weight=None)
    parts = split(load(path))
    version = add_version("tree", model=memorizer.fit(parts.X_train, parts.y_train), data_sha256=sha256(path))
    promote(store.client, version.name, version.version, "memorized")
    return path, merge_batch(load(path), customers.iloc[1500:2300]).table


def test_the_gate_ignores_customers_in_the_production_training_data(store, add_version, memorized):
    path, table = memorized
    parts = split(table)
    better = make_pipeline("forest").set_params(classify__n_estimators=50, classify__min_samples_leaf=5)
    challenger = add_version("forest", model=better.fit(parts.X_train, parts.y_train))

    assert not gate_results(store, challenger, parts)[-1].passed  # the leak
    comparable = not_in_production_training(store, table, str(path))
    gate = gate_results(store, challenger, parts, comparable)[-1]
    assert gate.passed
    count = int(comparable[parts.X_test.index].sum())
    assert f"{count} held-out customers new to both" in gate.detail

    # The scores are those of exactly the customers that neither was trained on.
    training = set(customer_ids(load(path).loc[split(load(path)).X_train.index]))
    training |= set(customer_ids(table.loc[parts.X_train.index]))
    new = table[~customer_ids(table).isin(training)]
    assert len(new) == count
    for model in (better, load_version(store.client, "churn", 1)):
        assert f"{evaluate(model, new[FEATURES], new[TARGET])['test_f1']:.4f}" in gate.detail


def test_too_few_customers_new_to_both_fail_the_gate(store, add_version, sample):
    production = add_version("tree")
    promote(store.client, production.name, production.version, "good")
    comparable = pd.Series(sample.y_test == 0, index=sample.X_test.index)
    gate = gate_results(store, add_version("forest"), sample, comparable)[-1]
    assert not gate.passed
    assert "0 of the rarer class are too few" in gate.detail


def test_a_challenger_without_training_run_is_an_error(store, add_version, sample):
    production = add_version("tree")
    promote(store.client, production.name, production.version, "good")
    challenger = add_version("forest")
    challenger._run_id = ""
    with pytest.raises(RegistryError, match="without a training run"):
        gate_results(store, challenger, sample)


def test_no_gates_do_not_pass():
    assert not all_passed([])


def test_a_gate_prints_as_one_line_with_a_mark():
    assert str(Gate("same schema", True, "10 inputs")) == "✓ same schema: 10 inputs"
    assert str(Gate("same schema", False, "9 inputs")) == "✗ same schema: 9 inputs"
