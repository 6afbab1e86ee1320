"""A user's own algorithms are trained, promoted, scored, monitored, served and retrained like ours."""

import json
import os
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
from helpers.training import use_algorithms
from tests.support import stores
from tests.support.bank import NEW_CUSTOMERS
from tests.support.boosting import CLASSIFIERS, classifier
from tests.workflows.batches import runs, write_batch

pytestmark = pytest.mark.stack

# A file outside the project, with a class of its own.
ENTRIES = """
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from helpers.training import Algorithm


class OwnBayes(GaussianNB):
    pass


ALGORITHMS = {
    "lightgbm": Algorithm("LightGBM", LGBMClassifier(n_jobs=1, verbose=-1), {"n_estimators": [20, 40]}),
    "calibrated": Algorithm("SVM", CalibratedClassifierCV(LinearSVC(), cv=3), {"estimator__C": [0.1, 1]}),
    "own": Algorithm("a class of the file", OwnBayes(), {"var_smoothing": [1e-9, 0.1]}),
}
"""
NAMES = ["lightgbm", "calibrated", "own"]
# An installed package with an entry point.
PACKAGE = """
from xgboost import XGBClassifier

from helpers.training import Algorithm

XGBOOST = Algorithm("XGBoost", XGBClassifier(n_jobs=1), {"n_estimators": [20, 50], "max_depth": [3]})
"""


@pytest.fixture(scope="module")
def user(tmp_path_factory) -> Path:
    """Return a folder with the user's file, and the package as pip would install it."""
    for package in CLASSIFIERS:
        classifier(package)  # or there is nothing to test
    folder = tmp_path_factory.mktemp("user")
    (folder / "my_models.py").write_text(ENTRIES)
    (info := folder / "packages" / "shop-1.0.dist-info").mkdir(parents=True)
    (folder / "packages" / "shop_models.py").write_text(PACKAGE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[churn.algorithms]\nxgboost = shop_models:XGBOOST\n")
    return folder


def churn(user: Path, *arguments: object) -> str:
    """Run the command line in the user's folder, with the store in use; return what it printed."""
    command, *options = map(str, arguments)
    path = os.pathsep.join([str(ROOT), str(user / "packages")])
    done = subprocess.run(
        [sys.executable, "-m", "helpers", command, "--algorithms", "my_models.py", *options],
        cwd=user, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def store(user):
    """Return the store after all notebooks, with the best of the user's algorithms in production."""
    with stores.in_use(stores.empty()):
        printed = churn(user, "run", "--models", ",".join([*NAMES, "xgboost"]), "--out", user / "out")
        assert all(f"churn-{name} v1" in printed for name in [*NAMES, "xgboost"])
        yield connect()


@pytest.fixture(autouse=True)
def in_use(user):
    """Use the file in this process, too."""
    use_algorithms(user / "my_models.py")


@pytest.mark.parametrize("name", [*NAMES, "xgboost"])
def test_the_script_reproduces_the_metrics(store: Store, name, tmp_path):
    (run,) = [run for run in runs(store, "model") if run.data.tags["algorithm"] == name]
    script = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="pipeline", dst_path=str(tmp_path)
    )
    done = subprocess.run(
        [sys.executable, Path(script, "pipeline.py"), ROOT / "data" / "bank_churn.csv"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for metric, value in json.loads(done.stdout).items():
        assert run.data.metrics[metric] == value


@pytest.mark.parametrize("name", ["lightgbm", "own", "xgboost"])
def test_every_use_in_production(store: Store, user, name, tmp_path):
    promote(store.client, f"churn-{name}", 1, "test")
    customers = load(NEW_CUSTOMERS, target=False)
    expected = load_production_model(store.client).score(customers)
    churn(user, "score", "--batch", NEW_CUSTOMERS, "--out", tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert scores["probability"].round(6).tolist() == expected["probability"].round(6).tolist()
    with model_server(workers=2 if name == "own" else 1) as url:
        pd.testing.assert_frame_equal(request_scores(url, customers), expected, check_exact=True)
    churn(user, "monitor", "--batch", NEW_CUSTOMERS)


def test_retraining(store: Store, user, tmp_path):
    promote(store.client, "churn-own", 1, "to be replaced")
    batch = write_batch(tmp_path / "older.csv", covariate=0.8)
    churn(user, "retrain", "--batch", batch, "--models", "xgboost", "--out", tmp_path)
    (run,) = runs(store, "retrain")
    assert run.data.tags["outcome"] == "promoted"
    assert production_version(store.client).tags["source_name"] == "churn-xgboost"
