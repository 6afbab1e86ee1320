import numpy as np
import pandas as pd
import pytest

from helpers.artifacts import log_model
from helpers.candidates import NoCandidates, candidates
from helpers.gates import check, fold_scores, paired_test, passed
from helpers.registry import promote, register, staged

GATES = ["same schema", "sound probabilities", "better than no model", "not below the live version"]


@pytest.fixture
def add(store, fitted, sample):
    """Return a function that registers an algorithm's model as if trained, with given fold scores."""

    def add(name: str, folds=(0.5, 0.52, 0.48, 0.51, 0.49), model=None, columns=None):
        client = store.client
        metrics = {"cv_val_f1_mean": np.mean(folds), "cv_val_f1_std": np.std(folds)}
        metrics |= {"test_f1": 0.5, "test_accuracy": 0.8, "test_roc_auc": 0.75}
        run = client.create_run(store.experiment_id, tags={"level": "model", "algorithm": name})
        for key, value in metrics.items():
            client.log_metric(run.info.run_id, key, value)
        for number, score in enumerate(folds, 1):
            tags = {"level": "fold", "fold": str(number), "mlflow.parentRunId": run.info.run_id}
            fold = client.create_run(store.experiment_id, tags=tags)
            client.log_metric(fold.info.run_id, "val_f1", score)
        X = sample.X_train if columns is None else sample.X_train[columns]
        uri = log_model(run.info.run_id, model or fitted[name], X)
        return register(client, name, uri, run.info.run_id, {"data_sha256": "abc"})

    return add


def verdicts(store, candidate, sample) -> dict[str, bool]:
    gates = check(store.client, candidate, sample.X_train, sample.X_test, sample.y_test)
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


def test_other_columns_than_the_live_version_are_refused(store, add, fitted, sample):
    from sklearn.linear_model import LogisticRegression

    live = add("forest")
    promote(store.client, live.name, live.version, "good")
    few = ["Age", "Balance"]
    model = LogisticRegression().fit(sample.X_train[few], sample.y_train)
    version = add("logreg", model=model, columns=few)
    assert not verdicts(store, version, sample)["same schema"]


def test_no_gates_is_not_passed():
    assert not passed([])


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
    table = candidates(store, "abc")
    assert list(table.index) == ["forest", "knn"]
    assert table.loc["forest", "version"] == 1
    store.client.set_model_version_tag("churn-knn", staged(store.client, "knn").version, "data_sha256", "x")
    assert list(candidates(store, "abc").index) == ["forest"]
    with pytest.raises(NoCandidates, match=r"churn-knn, churn-forest.*03_train"):
        candidates(store, "other")
