import re

import numpy as np
import pandas as pd
import pytest

from helpers.config import FEATURES, TARGET
from helpers.data.loading import load, split
from helpers.data.merging import customer_ids, merge_batch
from helpers.errors import DataError, NoChallengers
from helpers.files import sha256
from helpers.registry.challengers import compare_challengers
from helpers.registry.gates import all_passed, fold_scores, paired_test, run_gates
from helpers.registry.stages import load_version as load_version
from helpers.registry.stages import promote, register, staging_version
from helpers.registry.training_data import not_in_production_training
from helpers.tracking.artifacts import log_model
from helpers.training.algorithms import make_pipeline
from helpers.training.metrics import evaluate

GATES = ["same schema", "sound probabilities", "better than no model", "not below the live version"]


@pytest.fixture
def add(store, fitted, sample):
    """Return a function that registers an algorithm's model as if trained, with given fold scores."""

    def add(
        name: str, folds=(0.5, 0.52, 0.48, 0.51, 0.49), model=None, columns=None, sha256="abc",
        threshold=None, costs=None,
    ):  # fmt: skip
        client = store.client
        metrics = {"cv_val_f1_mean": np.mean(folds), "cv_val_f1_std": np.std(folds)}
        metrics |= {"test_f1": 0.5, "test_accuracy": 0.8, "test_roc_auc": 0.75, **(costs or {})}
        run = client.create_run(store.experiment_id, tags={"level": "model", "algorithm": name})
        for key, value in metrics.items():
            client.log_metric(run.info.run_id, key, value)
        for number, score in enumerate(folds, 1):
            tags = {"level": "fold", "fold": str(number), "mlflow.parentRunId": run.info.run_id}
            fold = client.create_run(store.experiment_id, tags=tags)
            client.log_metric(fold.info.run_id, "val_f1", score)
        X = sample.X_train if columns is None else sample.X_train[columns]
        uri = log_model(run.info.run_id, model or fitted[name], X)
        tags = {"data_sha256": sha256} | ({"decision_threshold": repr(threshold)} if threshold else {})
        return register(client, name, uri, run.info.run_id, tags)

    return add


def verdicts(store, candidate, sample) -> dict[str, bool]:
    gates = run_gates(store.client, candidate, sample.X_train, sample.X_test, sample.y_test)
    return {gate.name: gate.passed for gate in gates}


def test_first_candidate_passes_every_gate(store, add, sample):
    assert verdicts(store, add("forest"), sample) == dict.fromkeys(GATES, True)


def test_candidate_below_the_live_version_is_refused(store, add, fitted, sample):
    good = add("forest", model=fitted["forest"])
    promote(store.client, good.name, good.version, "good")
    weak = fitted["tree"].__class__(fitted["tree"].steps).set_params(classify__max_depth=1)
    weak.fit(sample.X_train, sample.y_train)
    found = verdicts(store, add("tree", model=weak), sample)
    assert not found["not below the live version"]
    assert found["same schema"]


def test_live_version_itself_is_not_below_itself(store, add, sample):
    version = add("forest")
    promote(store.client, version.name, version.version, "good")
    assert verdicts(store, version, sample)["not below the live version"]


COSTS = {"missed_cost": 3.0, "wasted_cost": 2.0}


def test_the_detail_names_what_either_would_cost_at_its_own_threshold(store, add, fitted, sample):
    live = add("tree", threshold=0.4, costs={"missed_cost": 5.0, "wasted_cost": 1.0})
    promote(store.client, live.name, live.version, "good")
    candidate = add("forest", threshold=0.2, costs=COSTS)
    unseen = pd.Series(sample.X_test.index % 2 == 0, index=sample.X_test.index)
    gate = run_gates(store.client, candidate, sample.X_train, sample.X_test, sample.y_test, unseen)[-1]
    costs = []
    for name, threshold in (("forest", 0.2), ("tree", 0.4)):
        probability = fitted[name].predict_proba(sample.X_test)[:, 1]
        contact = probability >= threshold
        paid = (~contact & (sample.y_test == 1)) * 3.0 + (contact & (sample.y_test == 0)) * 2.0
        costs.append(paid[unseen].mean())
    said = f"; cost a customer {costs[0]:.4f}, live version {costs[1]:.4f}, each at its own threshold"
    assert gate.detail.endswith(said)
    assert costs[0] != costs[1]


@pytest.mark.parametrize(
    ("live_threshold", "threshold", "costs"),
    [(None, 0.3, COSTS), (0.3, None, COSTS), (0.3, 0.3, None), (0.3, 0.3, {"missed_cost": 3.0})],
)
def test_without_threshold_or_costs_the_detail_is_f1_alone(
    store, add, sample, live_threshold, threshold, costs
):
    live = add("tree", threshold=live_threshold, costs=COSTS)
    promote(store.client, live.name, live.version, "good")
    candidate = add("forest", threshold=threshold, costs=costs)
    gate = run_gates(store.client, candidate, sample.X_train, sample.X_test, sample.y_test)[-1]
    assert gate.detail.startswith("hold-out F1") and "cost" not in gate.detail


def test_a_dearer_candidate_passes_by_its_f1(store, add, sample):
    live = add("forest", threshold=0.2, costs=COSTS)
    promote(store.client, live.name, live.version, "good")
    dear = add("forest", threshold=0.99, costs={"missed_cost": 50.0, "wasted_cost": 1.0})
    gate = run_gates(store.client, dear, sample.X_train, sample.X_test, sample.y_test)[-1]
    cost, now = re.search(r"cost a customer ([\d.]+), live version ([\d.]+)", gate.detail).groups()
    assert gate.passed and float(cost) > float(now)


def test_other_columns_than_the_live_version_are_refused(store, add, fitted, sample):
    from sklearn.linear_model import LogisticRegression

    live = add("forest")
    promote(store.client, live.name, live.version, "good")
    few = ["Age", "Balance"]
    model = LogisticRegression().fit(sample.X_train[few], sample.y_train)
    version = add("logreg", model=model, columns=few)
    assert not verdicts(store, version, sample)["same schema"]


@pytest.fixture
def grown(store, add, tmp_path):
    """Return old and grown table, with a live model that knows its own customers by heart."""
    customers = load()
    old, batch = customers.head(1500), customers.iloc[1500:2300]
    path = tmp_path / "old.csv"
    old.to_csv(path, index=False)
    by_heart = make_pipeline("tree").set_params(classify__max_depth=None, classify__class_weight=None)
    known = split(load(path))
    version = add("tree", model=by_heart.fit(known.X_train, known.y_train), sha256=sha256(path))
    promote(store.client, version.name, version.version, "by heart")
    return path, merge_batch(load(path), batch).table


def test_the_live_version_gains_nothing_from_customers_it_knows_by_heart(store, add, grown):
    path, table = grown
    parts = split(table)
    better = make_pipeline("forest").set_params(classify__n_estimators=50, classify__min_samples_leaf=5)
    candidate = add("forest", model=better.fit(parts.X_train, parts.y_train))

    def verdict(*unseen):
        gates = run_gates(store.client, candidate, parts.X_train, parts.X_test, parts.y_test, *unseen)
        return gates[-1]

    assert not verdict().passed  # the leak
    unseen = not_in_production_training(store, table, str(path))
    assert verdict(unseen).passed
    count = int(unseen[parts.X_test.index].sum())
    assert f"{count} held-out customers new to both" in verdict(unseen).detail

    # The figures are those of exactly the customers that neither was trained on.
    learned = set(customer_ids(load(path).loc[split(load(path)).X_train.index]))
    learned |= set(customer_ids(table.loc[parts.X_train.index]))
    fair = table[~customer_ids(table).isin(learned)]
    assert len(fair) == count
    for model in (better, load_version(store.client, "churn", 1)):
        assert f"{evaluate(model, fair[FEATURES], fair[TARGET])['test_f1']:.4f}" in verdict(unseen).detail


def test_too_few_customers_new_to_both_are_no_quiet_pass(store, add, fitted, sample):
    live = add("tree")
    promote(store.client, live.name, live.version, "good")
    unseen = pd.Series(sample.y_test == 0, index=sample.X_test.index)
    gates = run_gates(store.client, add("forest"), sample.X_train, sample.X_test, sample.y_test, unseen)
    assert not gates[-1].passed
    assert "0 of the rarer class are too few" in gates[-1].detail


def test_a_live_version_whose_table_is_gone_is_favoured_and_that_is_said(store, add, grown):
    path, table = grown
    path.unlink()
    with pytest.warns(UserWarning, match=r"may know some held-out customers.*Give it as `live_data`"):
        assert not_in_production_training(store, table).all()
    other = path.with_name("other.csv")
    other.write_text("not that file")
    with pytest.raises(DataError, match="is that file"):
        not_in_production_training(store, table, str(other))


def test_everybody_is_new_while_nothing_is_live(store):
    assert not_in_production_training(store, load().head(20)).all()


def test_no_gates_is_not_passed():
    assert not all_passed([])


def test_fold_scores_come_in_the_folds_order(store, add):
    version = add("knn", folds=(0.1, 0.2, 0.3, 0.4, 0.5))
    assert fold_scores(store.client, version).to_list() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_missing_fold_run_is_an_error_and_no_quiet_pass(store, add):
    version = add("knn", folds=(0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match="has 3 fold runs, not 5"):
        fold_scores(store.client, version)


def test_paired_test_is_wider_than_the_plain_one():
    from scipy import stats

    a, b = pd.Series([0.61, 0.60, 0.64, 0.59, 0.62]), pd.Series([0.58, 0.60, 0.61, 0.57, 0.60])
    mean, p = paired_test(a, b)
    assert mean == pytest.approx(0.02)
    # By hand: t = mean / sqrt((1/5 + 1/4) * variance), 4 degrees of freedom.
    t = 0.02 / np.sqrt(0.45 * np.var(a - b, ddof=1))
    assert p == pytest.approx(2 * stats.t.sf(t, 4))
    assert p > stats.ttest_rel(a, b).pvalue
    assert paired_test(a, a) == (0.0, 1.0)


def test_candidates_are_of_this_data_and_best_first(store, add):
    add("knn", folds=(0.4,) * 5)
    add("forest", folds=(0.6,) * 5)
    table = compare_challengers(store, "abc")
    assert list(table.index) == ["forest", "knn"]
    assert table.loc["forest", "version"] == 1
    store.client.set_model_version_tag(
        "churn-knn", staging_version(store.client, "knn").version, "data_sha256", "x"
    )
    assert list(compare_challengers(store, "abc").index) == ["forest"]
    with pytest.raises(NoChallengers, match=r"churn-knn, churn-forest.*03_train"):
        compare_challengers(store, "other")
