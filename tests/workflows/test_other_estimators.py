"""A user's own algorithms are trained, promoted, scored, monitored, served and retrained like ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from helpers.config import ROOT
from helpers.data import load
from helpers.registry import load_production_model, production_version, promote
from helpers.serving import model_server, request_scores
from helpers.tracking import Store, connect
from tests.support import stores
from tests.support.bank import NEW_CUSTOMERS
from tests.support.boosting import CLASSIFIERS, classifier
from tests.workflows.batches import runs, write_batch

pytestmark = pytest.mark.stack

# What a user appends to helpers/training/algorithms.py.
ENTRIES = """

from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier

ALGORITHMS |= {
    "xgboost": Algorithm("XGBoost", XGBClassifier(n_jobs=1), {"n_estimators": [20, 50], "max_depth": [3]}),
    "lightgbm": Algorithm("LightGBM", LGBMClassifier(n_jobs=1, verbose=-1), {"n_estimators": [20, 40]}),
    "histogram": Algorithm("histogram", HistGradientBoostingClassifier(), {"max_iter": [20, 40]}),
    "calibrated": Algorithm("SVM", CalibratedClassifierCV(LinearSVC(), cv=3), {"estimator__C": [0.1, 1]}),
}
"""
NAMES = ["xgboost", "lightgbm", "histogram", "calibrated"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """Return a copy of the project with the user's algorithms in it."""
    for package in CLASSIFIERS:
        classifier(package)  # or there is nothing to test
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("helpers", "notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "helpers" / "training" / "algorithms.py").open("a") as file:
        file.write(ENTRIES)
    return folder


def churn(checkout: Path, *arguments: object) -> str:
    """Run the copy's command line in the store in use; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers", *map(str, arguments)],
        cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def store(checkout):
    """Return the store after all notebooks, with the best of the user's algorithms in production."""
    with stores.in_use(stores.empty()):
        printed = churn(checkout, "run", "--models", ",".join(NAMES), "--out", checkout / "out")
        assert all(f"churn-{name} v1" in printed for name in NAMES)
        yield connect()


@pytest.mark.parametrize("name", NAMES)
def test_the_script_reproduces_the_metrics(store: Store, name, tmp_path):
    (run,) = [run for run in runs(store, "model") if run.data.tags["algorithm"] == name]
    script = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="pipeline/pipeline.py", dst_path=str(tmp_path)
    )
    done = subprocess.run(
        [sys.executable, script, ROOT / "data" / "bank_churn.csv"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for metric, value in json.loads(done.stdout).items():
        assert run.data.metrics[metric] == value


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_use_in_production(store: Store, checkout, name, tmp_path):
    promote(store.client, f"churn-{name}", 1, "test")
    customers = load(NEW_CUSTOMERS, target=False)
    expected = load_production_model(store.client).score(customers)
    churn(checkout, "score", "--batch", NEW_CUSTOMERS, "--out", tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert scores["probability"].round(6).tolist() == expected["probability"].round(6).tolist()
    with model_server() as url:
        pd.testing.assert_frame_equal(request_scores(url, customers), expected, check_exact=True)
    churn(checkout, "monitor", "--batch", NEW_CUSTOMERS)


def test_retraining(store: Store, checkout, tmp_path):
    promote(store.client, "churn-calibrated", 1, "to be replaced")
    batch = write_batch(tmp_path / "older.csv", covariate=0.8)
    churn(checkout, "retrain", "--batch", batch, "--models", "xgboost", "--out", tmp_path)
    (run,) = runs(store, "retrain")
    assert run.data.tags["outcome"] == "promoted"
    assert production_version(store.client).tags["source_name"] == "churn-xgboost"
