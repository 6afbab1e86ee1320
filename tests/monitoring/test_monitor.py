"""What a monitoring run leaves in MLflow, and the command ``churn monitor``."""

from dataclasses import replace

import pytest
from mlflow import MlflowClient
from sklearn.metrics import f1_score

from helpers.data import make_customers, split
from helpers.errors import DataError, RegistryError
from helpers.files import sha256
from helpers.monitoring import baseline_metrics, run_monitoring
from helpers.tracking import connect, search_runs
from tests.support import stores
from tests.support.bank import FEATURES, MISSED_COST, NEW_CUSTOMERS, TARGET, WASTED_COST
from tests.support.command import churn


@pytest.fixture(scope="module")
def store():
    """Return a store with a model in production."""
    with stores.in_use(stores.copy(stores.promoted())):
        yield connect()


@pytest.fixture(scope="module")
def result(store):
    return run_monitoring(store)


def monitoring_runs(store) -> list:
    return search_runs(store.client, store.experiment_id, "tags.level = 'monitoring'")


def test_a_monitoring_run_is_complete(store, result):
    run = store.client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["level"] == "monitoring"
    assert run.data.tags["decision"] == run.data.params["decision"] == result.report.decision == "keep"
    assert run.data.tags["production_version"] == str(result.production.version)
    assert run.data.tags["batch_sha256"] == run.data.tags["data_sha256"] == sha256(NEW_CUSTOMERS)
    assert run.data.tags["reference_sha256"] == result.production.data_sha256
    (dataset_input,) = run.inputs.dataset_inputs
    assert dataset_input.dataset.name == "new_customers"
    by_metric = {finding.subject: finding for finding in result.report.of_check("performance")}
    assert {f"distribution/{name}/PSI" for name in FEATURES} < run.data.metrics.keys()
    assert run.data.metrics["performance/F1/current"] == pytest.approx(by_metric["F1"].current)
    assert run.data.metrics["performance/cost/rise"] == pytest.approx(by_metric["cost"].effect)
    plots = {file.path for file in store.client.list_artifacts(result.run_id, "plots")}
    names = {"checks", "features", "psi", "domain_classifier", "scores", "performance"}
    assert plots == {f"plots/{name}.png" for name in names}


def test_all_values_are_logged_in_two_calls(store, monkeypatch):
    calls = []
    for name in ("log_batch", "log_metric", "log_param", "set_tag"):
        method = getattr(MlflowClient, name)

        def counted(self, *args, name=name, method=method, **kwargs):
            calls.append(name)
            return method(self, *args, **kwargs)

        monkeypatch.setattr(MlflowClient, name, counted)
    run_id = run_monitoring(store).run_id
    assert len(store.client.get_run(run_id).data.metrics) > 70
    assert calls == ["log_batch", "log_batch"]  # the dataset's fingerprint, and the report


def test_the_baseline_is_the_production_models_score_on_its_holdout(store, result):
    parts = split(result.reference)
    predicted = result.production.pipeline.predict(parts.X_test)
    baseline = baseline_metrics(store, result.production)
    assert (baseline["missed_cost"], baseline["wasted_cost"]) == (MISSED_COST, WASTED_COST)
    assert baseline["test_f1"] == pytest.approx(f1_score(parts.y_test, predicted))
    assert ((result.production.score(parts.X_test)["probability"] > 0.5) == (predicted == 1)).all()


def test_a_production_model_without_holdout_metrics_is_refused(store, result):
    run = store.client.create_run(store.experiment_id)
    with pytest.raises(RegistryError, match="has no test_f1 nor test_roc_auc: train again"):
        baseline_metrics(store, replace(result.production, run_id=run.info.run_id))


def test_a_run_too_old_to_have_costs_still_gives_a_baseline(store, result):
    old = store.client.create_run(store.experiment_id).info.run_id
    for name in ("test_f1", "test_roc_auc"):
        store.client.log_metric(old, name, 0.5)
    baseline = baseline_metrics(store, replace(result.production, run_id=old))
    assert baseline == {"test_f1": 0.5, "test_roc_auc": 0.5}


def test_an_unusable_batch_leaves_no_run(store, result, tmp_path):
    before = len(monitoring_runs(store))
    bad = tmp_path / "bad.csv"
    make_customers(300, 50).drop(columns="Age").to_csv(bad, index=False)
    with pytest.raises(DataError, match="Age: the column is missing"):
        run_monitoring(store, bad)
    assert len(monitoring_runs(store)) == before


def test_the_command_prints_the_decision_or_the_error(store, tmp_path, capsys):
    path = tmp_path / "gaps.csv"
    make_customers(300, 60, {"missing": 0.5}).drop(columns=TARGET).to_csv(path, index=False)
    assert churn("monitor", "--batch", path) == 0
    assert capsys.readouterr().out.startswith("decision: retrain\n  - CreditScore: missing for")
    assert churn("monitor", "--batch", tmp_path / "none.csv") == 1
    assert "no file" in capsys.readouterr().err


def test_no_production_model_is_a_clear_error(capsys):
    with stores.in_use(stores.empty()):
        assert churn("monitor") == 1
    assert capsys.readouterr().err.startswith("Error: nothing is in production")
