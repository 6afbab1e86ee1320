import ast
import gzip
import json
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from helpers.config import SEED
from helpers.data.loading import load, split
from helpers.errors import SettingError
from helpers.table import current_table
from helpers.tracking import log_dataset
from helpers.tracking.artifacts import log_files
from helpers.tracking.safe_format import trusted_types
from helpers.tracking.script_export import pipeline_source
from helpers.training.algorithms import ALGORITHMS, CLASSIFY, make_pipeline
from helpers.training.metrics import evaluate
from tests.support.bank import EMBEDDED_DATA
from tests.support.excel import need_openpyxl


@pytest.mark.parametrize("name", ALGORITHMS)
def test_script_rebuilds_the_same_pipeline_without_this_package(name):
    pipeline = make_pipeline(name)
    source = pipeline_source(pipeline, name, ["scikit-learn==1.0"])
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert not any("helpers" in module or "._" in module for module in imported)
    scope = {"__name__": "script"}
    exec(source, scope)
    assert repr(scope["pipeline"]) == repr(pipeline)


OTHERS = {
    "numpy numbers": LogisticRegression(C=np.logspace(-1, 1, 3)[0], max_iter=np.arange(500, 501)[0]),
    "numpy array": GaussianNB(priors=np.array([0.6, 0.4])),
    "dictionary": LogisticRegression(class_weight={0: 1, np.int64(1): np.float64(2.5)}),
    "histogram": HistGradientBoostingClassifier(max_iter=5, random_state=SEED),
    "calibrated": CalibratedClassifierCV(LinearSVC(random_state=SEED), cv=3),
    "voting": VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_script_gives_the_metrics_of_any_estimator_and_skops_keeps_it(name, tmp_path):
    X_train, X_test, y_train, y_test = split(load(EMBEDDED_DATA))
    model = make_pipeline("logreg").set_params(**{CLASSIFY: OTHERS[name]}).fit(X_train, y_train)
    (tmp_path / "pipeline.py").write_text(pipeline_source(model, name, []))
    script = subprocess.run(
        [sys.executable, "pipeline.py", str(EMBEDDED_DATA)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(script.stdout) == evaluate(model, X_test, y_test)
    again = skops.io.loads(skops.io.dumps(model), trusted=trusted_types(model))
    np.testing.assert_array_equal(again.predict_proba(X_test), model.predict_proba(X_test))


def test_parameter_that_no_script_can_hold_is_refused_by_name():
    model = make_pipeline("logreg").set_params(**{CLASSIFY: FunctionTransformer(lambda X: X)})
    with pytest.raises(SettingError, match="parameter 'func'"):
        pipeline_source(model, "lambda", [])
    model.set_params(**{CLASSIFY: LogisticRegression(random_state=np.random.RandomState(0))})
    with pytest.raises(SettingError, match=r"'random_state'.*an integer"):
        pipeline_source(model, "generator", [])


def german(table: pd.DataFrame, path: Path) -> None:
    euros = table.assign(
        Balance=[f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in table["Balance"]],
        HasCrCard=table["HasCrCard"].eq(1),
    )
    text = euros.to_csv(sep=";", decimal=",", index=False) + (";" * 13 + "\n") * 3  # Excel's empty rows
    path.write_text(text, encoding="cp1252")


FORMS = {
    "german.csv": german,
    "compressed.csv": lambda table, path: path.write_bytes(gzip.compress(table.to_csv(index=False).encode())),
    "names.csv": lambda table, path: table.rename(columns=str.lower).to_csv(path, index=False),
    "typed.parquet": lambda table, path: table.to_parquet(path),
    "typed.xlsx": lambda table, path: table.to_excel(path, index=False),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:.* was read with")
def test_script_reads_what_was_trained_on(form, tmp_path, store):
    if form.endswith("xlsx"):
        need_openpyxl()
    path = tmp_path / form
    FORMS[form](pd.read_csv(EMBEDDED_DATA), path)
    table = load(path)
    X_train, X_test, y_train, y_test = split(table)
    expected = split(load(EMBEDDED_DATA))
    np.testing.assert_array_equal(X_train, expected.X_train)
    model = make_pipeline("logreg").fit(X_train, y_train)
    run_id = store.client.create_run(store.experiment_id).info.run_id
    log_dataset(store, run_id, X_train.assign(Exited=y_train), path, "training")
    kind = {".csv": "CSV", ".parquet": "Parquet", ".xlsx": "Excel"}[path.suffix]
    assert store.client.get_run(run_id).data.tags["data_format"].startswith(kind)
    log_files(store.client, run_id, model, "logreg", {"params": []}, {})
    files = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path)))
    script = subprocess.run(
        [sys.executable, "pipeline.py", path],
        cwd=files / "pipeline", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(script.stdout) == evaluate(model, X_test, y_test)


@pytest.mark.parametrize("form", ["typed.xlsx", "typed.parquet", "text.csv", "plain.csv"])
@pytest.mark.filterwarnings("ignore:.* was read with")
def test_script_reads_a_category_that_is_called_none(form, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_TABLE", str(EMBEDDED_DATA.with_name("telecom_churn.yaml")))
    raw = pd.read_csv(EMBEDDED_DATA.with_name("telecom_churn.csv"), keep_default_na=False, na_values=[""])
    path = tmp_path / form
    if form == "typed.xlsx":
        need_openpyxl()
        raw.to_excel(path, index=False)
    elif form == "typed.parquet":
        raw.to_parquet(path)
    else:
        raw.to_csv(path, sep="," if form == "plain.csv" else "\t", index=False)
    table = load(path)
    scope = {"__name__": "script"}
    exec(pipeline_source(make_pipeline("tree", table), "tree", [], table.attrs.get("script")), scope)
    read = scope["read"](path)
    assert "None" in set(read["Internet"])
    for name in current_table().feature_names:
        assert (
            read[name].astype(table[name].dtype).tolist() == table[name].tolist() or table[name].isna().any()
        )
        assert read[name].isna().tolist() == table[name].isna().tolist()
