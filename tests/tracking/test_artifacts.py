import json
import pickle
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.models import get_model_info
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline as chain

from helpers.data.loading import load, split
from helpers.errors import SettingError
from helpers.plotting import figure
from helpers.table import BANK
from helpers.tracking.artifacts import REQUIREMENTS, log_files, log_model, trusted_types
from helpers.training.algorithms import ALGORITHMS
from helpers.training.metrics import evaluate
from tests.support.bank import EMBEDDED_DATA, FEATURES
from tests.support.paths import REAL_DATA, needs_real_data


class Unreviewed(ClassifierMixin, BaseEstimator):
    """A user's own classifier, not reviewed for skops."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self


@pytest.fixture
def run_id(store):
    run = store.client.create_run(store.experiment_id, run_name="model")
    yield run.info.run_id
    store.client.set_terminated(run.info.run_id)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_model_is_safe_complete_and_the_same_when_loaded(store, run_id, fitted, sample, name):
    uri = log_model(run_id, fitted[name], sample.X_train, {"decision_threshold": 0.3})
    info = get_model_info(uri)
    assert info.flavors["sklearn"]["serialization_format"] == "skops"
    assert info.metadata["decision_threshold"] == 0.3
    assert info.signature.inputs.input_names() == FEATURES
    # What spark_udf returns where its caller names no type: both probabilities, not the leftmost number.
    assert info.signature.outputs.to_dict() == [
        {
            "type": "array",
            "items": {"type": "double"},
            "name": "probabilities of retained, churned",
            "required": True,
        }
    ]
    assert info.saved_input_example_info is not None
    folder = mlflow.artifacts.download_artifacts(uri)
    assert Path(folder, "requirements.txt").read_text().split() == REQUIREMENTS
    expected = fitted[name].predict_proba(sample.X_test)
    np.testing.assert_array_equal(mlflow.sklearn.load_model(uri).predict_proba(sample.X_test), expected)
    np.testing.assert_array_equal(mlflow.pyfunc.load_model(uri).predict(sample.X_test), expected)
    by_name = mlflow.pyfunc.load_model(f"runs:/{run_id}/model").predict(sample.X_test)
    np.testing.assert_array_equal(by_name, expected)
    assert store.client.get_run(run_id).info.status == "RUNNING"


def test_unreviewed_type_is_rejected_by_name(sample):
    model = chain(Unreviewed()).fit(sample.X_train, sample.y_train)
    with pytest.raises(SettingError, match=r"Unreviewed.*trusted_types of the Algorithm"):
        trusted_types(model)


DATA = [EMBEDDED_DATA, pytest.param(REAL_DATA, marks=needs_real_data)]


@pytest.mark.parametrize("data", DATA, ids=["sample", "real"])
@pytest.mark.parametrize("name", ["logreg", "forest"])
def test_files_on_the_run_rebuild_the_model(store, run_id, fitted, tmp_path, name, data):
    X_train, X_test, y_train, y_test = split(load(data))
    model = fitted[name].fit(X_train, y_train)
    results = {"params": [{"classify__C": 1}], "mean_test_f1": np.array([0.5])}
    log_files(store.client, run_id, model, name, results, {"grid_scores": figure()[0]})
    folder = mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path))
    with open(f"{folder}/pickle/model.pkl", "rb") as file:
        np.testing.assert_array_equal(pickle.load(file).predict(X_test), model.predict(X_test))
    script = subprocess.run(
        [sys.executable, "pipeline.py", str(data)],
        cwd=f"{folder}/pipeline", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(script.stdout) == evaluate(model, X_test, y_test)
    assert (tmp_path / "plots" / "grid_scores.png").stat().st_size > 1000
    assert (tmp_path / "table.yaml").read_bytes() == BANK.read_bytes()
    assert "mean_test_f1" in (tmp_path / "cv_results.csv").read_text()
