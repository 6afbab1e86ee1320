"""Files of customers scored by a production model: what is written, rejected and logged."""

import csv

import pandas as pd
import pytest

from helpers import files
from helpers.data import load
from helpers.errors import DataError, ExitCode, SettingError
from helpers.registry import ProductionModel, load_production_model
from helpers.scoring.batch import ASIDE, score_customers, score_file
from helpers.scoring.scores_csv import read_scores
from helpers.tracking import connect, search_runs, store_address
from helpers.training import make_pipeline
from tests.support import stores
from tests.support.bank import FEATURES, NEW_CUSTOMERS, as_in_file
from tests.support.command import churn


@pytest.fixture
def model(fitted) -> ProductionModel:
    return ProductionModel(fitted["tree"], 7, 0.3, "", "")


def test_scores_are_the_models_with_the_customer_ids(model):
    customers = load(NEW_CUSTOMERS)
    scores = score_customers(model, customers)
    assert list(scores) == ["customer", "probability", "decision", "model_version"]
    assert scores["customer"].tolist() == customers["CustomerId"].tolist()
    pd.testing.assert_frame_equal(scores.drop(columns="customer"), model.score(customers), check_exact=True)


def test_a_file_is_scored_and_logged(model, store, tmp_path):
    scored = score_file(store, model, None, tmp_path / "new" / "scores.csv")
    written = read_scores(scored.path)
    pd.testing.assert_frame_equal(written, scored.scores, check_dtype=False, rtol=0, atol=0)
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'scoring'")
    assert run.info.run_id == scored.run_id and run.info.status == "FINISHED"
    assert run.data.tags["production_version"] == "7"
    contacted = written["decision"].eq("contact")
    assert run.data.metrics == {
        "n_customers": 2000,
        "n_contacted": contacted.sum(),
        "contacted_share": contacted.mean(),
        "probability_mean": pytest.approx(written["probability"].mean()),
        "n_rejects": 0,
        "decision_threshold": 0.3,
    }
    assert [item.dataset.name for item in run.inputs.dataset_inputs] == ["new_customers"]
    assert [item.path for item in store.client.list_artifacts(run.info.run_id)] == ["scores.csv"]


def test_the_ten_features_are_enough(model, store, tmp_path):
    table = as_in_file(NEW_CUSTOMERS)[FEATURES[::-1]].head(5)
    table.to_csv(tmp_path / "new.csv", index=False)
    scored = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert scored.scores["customer"].tolist() == [2, 3, 4, 5, 6]  # lines of the file


def test_a_customer_without_id_has_the_files_own_line(model, store, tmp_path):
    header, *rows = as_in_file(NEW_CUSTOMERS)[FEATURES].head(5).to_csv(index=False).splitlines()
    (tmp_path / "new.csv").write_bytes(
        "\r\n".join(["\ufeff" + header, *rows[:2], "", "", *rows[2:], ""]).encode()
    )
    scored = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert scored.scores["customer"].tolist() == [2, 3, 6, 7, 8]


IDS = [
    "=1+1",
    "+1",
    "-5",
    "@A1",
    "\tx",
    "'=1",
    "'",
    "''x",
    "007",
    "2E5",
    "9" * 20,
    "4711 ",
    "NA",
    "＝1",
    'a"b,c',
    "ok",
]


def test_scores_are_safe_in_a_spreadsheet_and_ids_are_read_back_exactly(model, store, tmp_path):
    table = as_in_file(NEW_CUSTOMERS).head(len(IDS)).assign(CustomerId=IDS, Surname=IDS)
    table.to_csv(tmp_path / "new.csv", index=False)
    scored = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert scored.scores["customer"].tolist() == read_scores(scored.path)["customer"].tolist() == IDS
    cells = [row[0] for row in csv.reader(scored.path.read_text().splitlines())]
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r＝"]
    assert cells[9:12] == IDS[8:11]  # what is no formula stays as it is


def test_customers_without_a_known_outcome_are_scored(model, store, tmp_path):
    table = as_in_file(NEW_CUSTOMERS).head(5).assign(Exited=None)
    table.to_csv(tmp_path / "new.csv", index=False)
    assert len(score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv").scores) == 5


def test_the_batch_is_not_overwritten_by_its_scores(model, store, tmp_path):
    batch = tmp_path / "new.csv"
    batch.write_bytes(NEW_CUSTOMERS.read_bytes())
    with pytest.raises(SettingError, match="is the batch itself"):
        score_file(store, model, batch, tmp_path / "." / "new.csv")
    assert batch.read_bytes() == NEW_CUSTOMERS.read_bytes()
    assert search_runs(store.client, store.experiment_id, "tags.level = 'scoring'") == []


@pytest.mark.parametrize("name", ["scores.csv", "scores.rejects.csv"])
def test_another_file_is_not_replaced_and_nothing_is_logged(model, store, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(SettingError, match=f"{name} exists and is not an earlier output"):
        score_file(store, model, None, tmp_path / "scores.csv", ASIDE)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    assert not search_runs(store.client, store.experiment_id, "")


def test_earlier_scores_and_rejects_are_replaced(model, store, tmp_path):
    spoil(as_in_file(NEW_CUSTOMERS).head(20)).to_csv(tmp_path / "new.csv", index=False)
    first = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    again = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    assert first.path == again.path and len(read_scores(again.path)) == 16


def test_the_store_is_not_replaced_by_scores(tmp_path, capsys, monkeypatch):
    database = tmp_path / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    connect()
    assert churn("score", "--out", database) == ExitCode.USAGE
    assert "is not an earlier output of this kind" in capsys.readouterr().err
    assert database.read_bytes().startswith(b"SQLite format 3")


def test_bad_customers_are_rejected_and_nothing_is_written(model, store, tmp_path):
    table = as_in_file(NEW_CUSTOMERS).head(5)
    table.loc[2, "Geography"] = "Italy"
    table.loc[3, "Age"] = None
    table.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError) as error:
        score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert "Geography" in str(error.value) and "line 5" in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
    assert not search_runs(store.client, store.experiment_id, "")


def spoil(table: pd.DataFrame) -> pd.DataFrame:
    """Return new customers with bad rows: lines 3, 5, 8 and 9 of their file."""
    table = table.astype({"Age": object, "Tenure": object})
    table.loc[1, ["Age", "Tenure", "Geography"]] = ["=forty", 99, "Italy"]
    table.loc[3, "Balance"] = None
    table.loc[7, "CustomerId"] = table.loc[6, "CustomerId"]
    return table


def test_bad_rows_are_set_aside_with_every_reason(model, store, tmp_path):
    table = as_in_file(NEW_CUSTOMERS).head(20)
    spoil(table).to_csv(tmp_path / "new.csv", index=False)
    scored = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    sound = load(NEW_CUSTOMERS).loc[[0, 2, 4, 5, *range(8, 20)]]
    pd.testing.assert_frame_equal(scored.scores, score_customers(model, sound), check_exact=True)
    assert len(read_scores(scored.path)) == 16
    rejects = pd.read_csv(tmp_path / "scores.rejects.csv")
    assert rejects["line"].tolist() == [3, 5, 8, 9]
    assert rejects["reasons"].iloc[0] == (
        "Geography: not one of France, Germany, Spain ('Italy'); Age: not a number ('=forty'); "
        "Tenure: outside 0 to 60 ('99')"
    )
    assert rejects["reasons"].iloc[1] == "Balance: without a value"
    ids = table.loc[6, "CustomerId"]
    assert rejects["reasons"].iloc[2:].tolist() == [f"CustomerId: duplicates ('{ids}')"] * 2
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'scoring'")
    assert (run.data.metrics["n_customers"], run.data.metrics["n_rejects"]) == (16, 4)
    artifacts = [item.path for item in store.client.list_artifacts(run.info.run_id)]
    assert artifacts == ["scores.csv", "scores.rejects.csv"]


def test_rows_that_the_version_was_not_trained_on_are_set_aside(sample, store, tmp_path):
    spaniards = sample.X_train["Geography"] == "Spain"
    pipeline = make_pipeline("tree").fit(sample.X_train[~spaniards], sample.y_train[~spaniards])
    model = ProductionModel(pipeline, 7, 0.3, "", "")
    table = as_in_file(NEW_CUSTOMERS).head(50)
    table.loc[3, "Age"] = None
    table.to_csv(tmp_path / "new.csv", index=False)
    scored = score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    spain = table.index[table["Geography"] == "Spain"]
    assert scored.rejects["line"].tolist() == sorted({*(spain + 2), 5})
    reasons = scored.rejects.set_index("line")["reasons"]
    assert reasons[spain[0] + 2] == "Geography: version 7 was not trained on 'Spain'"
    table.loc[spain].to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="version 7 was trained on France, Germany only"):
        score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)


def test_a_file_without_a_sound_row_is_refused(model, store, tmp_path):
    as_in_file(NEW_CUSTOMERS).head(5).assign(Age=5).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="Age: 5 rows are outside 18 to 100"):
        score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    as_in_file(NEW_CUSTOMERS).head(5).drop(columns="Age").to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="Age: the column is missing"):
        score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", ASIDE)
    with pytest.raises(SettingError, match="bad_rows must be refuse or aside, not 'drop'"):
        score_file(store, model, tmp_path / "new.csv", tmp_path / "scores.csv", "drop")
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_an_interruption_keeps_the_existing_file(model, store, tmp_path, monkeypatch):
    target = tmp_path / "scores.csv"
    yesterday = "customer,probability,decision,model_version\n1,0.5,contact,6\n"
    target.write_text(yesterday)

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score_file(store, model, None, target)
    assert [path.read_text() for path in tmp_path.iterdir()] == [yesterday]
    (run,) = search_runs(store.client, store.experiment_id, "")
    assert run.info.status == "KILLED"


def test_the_command_scores_the_default_batch(tmp_path, capsys):
    with stores.in_use(stores.copy(stores.promoted())):
        assert churn("score", "--out", tmp_path / "scores.csv") == 0
        version = load_production_model(connect().client).version
        assert f"2000 customers scored by churn version {version}" in capsys.readouterr().out
        assert churn("score", "--batch", tmp_path / "none.csv", "--out", tmp_path / "x.csv") == 1
        assert "none.csv" in capsys.readouterr().err
        spoil(as_in_file(NEW_CUSTOMERS).head(20)).to_csv(tmp_path / "bad.csv", index=False)
        command = ["score", "--batch", tmp_path / "bad.csv", "--out", tmp_path / "sound.csv"]
        assert churn(*command) == 1
        assert churn(*command, "--bad-rows", "aside") == 5
        printed = capsys.readouterr()
        assert "16 customers scored" in printed.out
        assert f"4 rows are not scored, see {tmp_path / 'sound.rejects.csv'}" in printed.err


def test_the_command_says_that_nothing_is_in_production(store, tmp_path, capsys):
    assert churn("score", "--out", tmp_path / "scores.csv") == 1
    assert f"nothing is in production in {store_address()}: " in capsys.readouterr().err
    assert churn("history") == 0
    assert capsys.readouterr().out == f"nothing has been in production in {store_address()} yet\n"
