"""Files of customers scored by a live model: what is written, what is refused, what is logged."""

import pandas as pd
import pytest

from helpers.config import FEATURES, NEW_CUSTOMERS, PRODUCTION_MODEL
from helpers.data.loading import load, read_csv
from helpers.errors import DataError, RegistryError
from helpers.registry.production import ProductionModel, load_production_model
from helpers.registry.versions import production_version
from helpers.scoring import batch
from helpers.scoring.batch import main, score_customers, score_file
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from helpers.training.algorithms import make_pipeline
from tests.support import stores


@pytest.fixture(scope="module")
def live(sample) -> ProductionModel:
    """Return a model as if it were live."""
    pipeline = make_pipeline("tree").set_params(classify__max_depth=4).fit(sample.X_train, sample.y_train)
    return ProductionModel(pipeline, 7, 0.3, "", "")


def test_scores_are_the_models_and_the_decision_is_the_thresholds(live):
    customers = load(NEW_CUSTOMERS)
    scores = score_customers(live, customers)
    assert list(scores) == ["customer", "probability", "decision", "model_version"]
    assert scores["customer"].tolist() == customers["CustomerId"].tolist()
    expected = live.pipeline.predict_proba(customers[FEATURES])[:, 1]
    assert scores["probability"].tolist() == expected.tolist()
    assert set(scores["decision"]) == {"contact", "skip"}
    assert (scores["decision"].eq("contact") == (scores["probability"] >= 0.3)).all()
    assert scores["model_version"].eq(7).all()


def test_a_file_is_scored_and_logged(live, store, tmp_path):
    scored = score_file(store, live, None, tmp_path / "new" / "scores.csv")
    back = pd.read_csv(scored.path)
    pd.testing.assert_frame_equal(back, scored.scores, check_dtype=False, rtol=0, atol=0)
    (run,) = search_runs(store.client, store.experiment_id, "tags.level = 'scoring'")
    assert run.info.run_id == scored.run_id and run.info.status == "FINISHED"
    assert run.data.tags["live_version"] == "7"
    assert run.data.metrics["n_customers"] == 2000
    assert run.data.metrics["n_contacted"] == back["decision"].eq("contact").sum()
    assert [item.dataset.name for item in run.inputs.dataset_inputs] == ["new_customers"]
    assert [item.path for item in store.client.list_artifacts(run.info.run_id)] == ["scores.csv"]


def test_the_ten_features_are_enough(live, store, tmp_path):
    table = read_csv(NEW_CUSTOMERS)[FEATURES[::-1]].head(5)
    table.to_csv(tmp_path / "new.csv", index=False)
    scored = score_file(store, live, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert scored.scores["customer"].tolist() == [2, 3, 4, 5, 6]  # lines of the file


def test_customers_whose_outcome_is_not_known_yet_are_scored(live, store, tmp_path):
    table = read_csv(NEW_CUSTOMERS).head(5).assign(Exited=None)
    table.to_csv(tmp_path / "new.csv", index=False)
    assert len(score_file(store, live, tmp_path / "new.csv", tmp_path / "scores.csv").scores) == 5


def test_the_batch_is_not_overwritten_by_its_scores(live, store, tmp_path):
    batch = tmp_path / "new.csv"
    batch.write_bytes(NEW_CUSTOMERS.read_bytes())
    with pytest.raises(DataError, match="is the batch itself"):
        score_file(store, live, batch, tmp_path / "." / "new.csv")
    assert batch.read_bytes() == NEW_CUSTOMERS.read_bytes()
    assert search_runs(store.client, store.experiment_id, "tags.level = 'scoring'") == []


def test_categories_that_the_model_never_saw_are_refused(sample):
    known = sample.X_train["Geography"] != "Spain"
    pipeline = make_pipeline("logreg").fit(sample.X_train[known], sample.y_train[known])
    with pytest.raises(
        DataError, match=r"Geography: \d+ rows are Spain, and version 7 was trained on France, Ger"
    ):
        score_customers(ProductionModel(pipeline, 7, 0.3, "", ""), load(NEW_CUSTOMERS))


def test_an_empty_name_is_no_default(capsys):
    with pytest.raises(SystemExit):
        main(["--batch", "", "--out", "scores.csv"])
    assert "--batch is empty" in capsys.readouterr().err


def test_bad_customers_are_refused_and_nothing_is_written(live, store, tmp_path):
    table = read_csv(NEW_CUSTOMERS).head(5)
    table.loc[2, "Geography"] = "Italy"
    table.loc[3, "Age"] = None
    table.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError) as refused:
        score_file(store, live, tmp_path / "new.csv", tmp_path / "scores.csv")
    assert "Geography" in str(refused.value) and "line 5" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
    assert not search_runs(store.client, store.experiment_id, "")


def test_an_interruption_keeps_the_file_that_was_there(live, store, tmp_path, monkeypatch):
    target = tmp_path / "scores.csv"
    target.write_text("yesterday's")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score_file(store, live, None, target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["yesterday's"]
    (run,) = search_runs(store.client, store.experiment_id, "")
    assert run.info.status == "KILLED"


def test_command_line(tmp_path, capsys):
    with stores.in_use(stores.copy(stores.promoted())):
        assert main(["--out", str(tmp_path / "scores.csv")]) == 0
        version = load_production_model(connect().client).version
        assert f"2000 customers scored by churn version {version}" in capsys.readouterr().out
        assert main(["--batch", str(tmp_path / "none.csv"), "--out", str(tmp_path / "x.csv")]) == 1
        assert "none.csv" in capsys.readouterr().err


def test_nothing_live_is_a_clear_error(store, tmp_path, capsys):
    with pytest.raises(RegistryError, match="nothing is in production"):
        load_production_model(store.client)
    assert main(["--out", str(tmp_path / "scores.csv")]) == 1
    assert "nothing is in production" in capsys.readouterr().err


def test_a_version_without_threshold_is_a_clear_error(tmp_path):
    with stores.in_use(stores.copy(stores.promoted())):
        client = connect().client
        client.delete_model_version_tag(
            PRODUCTION_MODEL, production_version(client).version, "decision_threshold"
        )
        with pytest.raises(RegistryError, match="no decision_threshold"):
            load_production_model(client)
