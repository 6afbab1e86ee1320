"""A class of a user's file in a model: stored, loaded while the file is in use, and rebuilt by its script."""

import json
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest

from helpers.config import DECISION_THRESHOLD, ROOT
from helpers.data import load, split
from helpers.errors import RegistryError, SettingError
from helpers.registry import load_pyfunc, load_version, register
from helpers.tracking import check_estimator, log_files, log_model
from helpers.tracking.artifacts import REQUIREMENTS
from helpers.training import evaluate, make_grid, make_pipeline, use_algorithms
from tests.support.bank import EMBEDDED_DATA

FILE = ROOT / "examples" / "my_classifier.py"


def test_an_own_class_is_stored_loaded_and_rebuilt_while_its_file_is_in_use(store, tmp_path, monkeypatch):
    X_train, X_test, y_train, y_test = split(load(EMBEDDED_DATA))
    use_algorithms(FILE)
    pipeline, grid = make_pipeline("ranked_bayes"), make_grid("ranked_bayes")
    check_estimator(pipeline, grid, X_train, y_train)
    model = pipeline.fit(X_train, y_train)
    run_id = store.client.create_run(store.experiment_id).info.run_id
    uri = log_model(run_id, model, X_train)
    log_files(store.client, run_id, model, "ranked_bayes", {"params": []}, {})
    version = register(store.client, "ranked_bayes", uri, run_id, {DECISION_THRESHOLD: "0.3"})
    expected = model.predict_proba(X_test)
    again = load_version(store.client, version.name, version.version)
    np.testing.assert_array_equal(again.predict_proba(X_test), expected)
    by_mlflow = load_pyfunc(store.client, version.name, version.version).predict(X_test)
    np.testing.assert_array_equal(by_mlflow, expected)
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    assert (folder / "requirements.txt").read_text().split() == REQUIREMENTS

    files = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path)))
    assert (files / "pipeline" / FILE.name).read_bytes() == FILE.read_bytes()
    assert "my_classifier.py beside this file" in (files / "pipeline" / "pipeline.py").read_text()
    script = subprocess.run(
        [sys.executable, files / "pipeline" / "pipeline.py", str(EMBEDDED_DATA)],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(script.stdout) == evaluate(model, X_test, y_test)

    monkeypatch.delenv("CHURN_ALGORITHMS")
    for load_model in (load_version, load_pyfunc):
        with pytest.raises(RegistryError) as caught:
            load_model(store.client, version.name, version.version)
        assert str(caught.value) == (
            "churn-ranked_bayes version 1 has the type my_classifier.RankedBayes, which is trusted only "
            "while algorithms that define or name it are in use: set CHURN_ALGORITHMS or --algorithms to "
            "their file"
        )
    monkeypatch.setenv("CHURN_ALGORITHMS", "nowhere.py")
    with pytest.raises(SettingError, match=r"no file of algorithms nowhere\.py"):
        load_version(store.client, version.name, version.version)
