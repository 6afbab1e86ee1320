"""XGBoost and LightGBM in a pipeline: stored without a pickle, loaded the same, rebuilt by its script."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import mlflow
import numpy as np
import pytest
import skops.io

from helpers.config import DECISION_THRESHOLD
from helpers.data import load, split
from helpers.errors import RegistryError
from helpers.registry import load_production_model, load_version, promote, register
from helpers.tracking import check_estimator, log_files, log_model
from helpers.tracking.artifacts import REQUIREMENTS
from helpers.training import CLASSIFY, evaluate, make_pipeline
from tests.support.bank import EMBEDDED_DATA
from tests.support.boosting import CLASSIFIERS, classifier


@pytest.fixture(params=CLASSIFIERS)
def package(request):
    return request.param


@pytest.fixture
def unfitted(package):
    params = {"verbose": -1} if package == "lightgbm" else {}
    return make_pipeline("logreg").set_params(**{CLASSIFY: classifier(package, **params)})


def test_boosting_is_stored_loaded_and_rebuilt(store, package, unfitted, tmp_path, monkeypatch):
    X_train, X_test, y_train, y_test = split(load(EMBEDDED_DATA))
    check_estimator(unfitted, {"max_depth": [3]}, X_train, y_train)
    model = unfitted.fit(X_train, y_train)
    run_id = store.client.create_run(store.experiment_id).info.run_id
    uri = log_model(run_id, model, X_train)
    log_files(store.client, run_id, model, package, {"params": []}, {})
    version = register(store.client, package, uri, run_id, {DECISION_THRESHOLD: "0.3"})
    promote(store.client, version.name, version.version, "test")
    assert load_production_model(store.client).score(X_test)["probability"].dtype == "float64"
    again = load_version(store.client, version.name, version.version)
    np.testing.assert_array_equal(again.predict_proba(X_test), model.predict_proba(X_test))

    folder = Path(mlflow.artifacts.download_artifacts(uri))
    *first, last = (folder / "requirements.txt").read_text().split()
    assert first == REQUIREMENTS and last.startswith(package) and "==" in last
    files = mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path))
    script = subprocess.run(
        [sys.executable, "pipeline.py", str(EMBEDDED_DATA)],
        cwd=f"{files}/pipeline", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(script.stdout) == evaluate(model, X_test, y_test)
    assert last in Path(files, "pipeline", "pipeline.py").read_text()

    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RegistryError, match=rf"churn-{package} version 1 needs {package}, .*not installed"):
        load_version(store.client, version.name, version.version)


def test_nothing_in_the_stored_model_is_a_pickle(unfitted, sample):
    model = unfitted.fit(sample.X_train, sample.y_train)
    stored = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    for name in stored.namelist():
        assert name == "schema.json" or Path(name).suffix in (".npy", ".bin")
        if name.endswith(".npy"):
            np.load(io.BytesIO(stored.read(name)), allow_pickle=False)
        elif name.endswith(".bin"):
            # XGBoost's UBJSON: an object with a key of known length.
            assert stored.read(name).startswith(b"{L") and b"learner" in stored.read(name)[:2000]
