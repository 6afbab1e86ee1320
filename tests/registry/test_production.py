import pytest

from helpers.config import DECISION_THRESHOLD
from helpers.data import load
from helpers.errors import DataError, RegistryError
from helpers.registry.production import ProductionModel, load_production_model, require_production_version
from helpers.registry.production_stage import promote
from helpers.tracking import store_address
from helpers.training import make_pipeline
from tests.support.bank import FEATURES, NEW_CUSTOMERS


def test_probability_is_the_pipelines_and_the_threshold_decides(fitted):
    model = ProductionModel(fitted["tree"], 7, 0.3, "", "")
    customers = load(NEW_CUSTOMERS)
    scores = model.score(customers)
    expected = model.pipeline.predict_proba(customers[FEATURES])[:, 1]
    assert scores["probability"].tolist() == model.probability(customers).tolist() == expected.tolist()
    assert set(scores["decision"]) == {"contact", "skip"}
    assert (scores["decision"].eq("contact") == (scores["probability"] >= 0.3)).all()
    assert scores["model_version"].eq(7).all()


def test_categories_outside_the_training_table_are_refused(sample):
    known = sample.X_train["Geography"] != "Spain"
    pipeline = make_pipeline("logreg").fit(sample.X_train[known], sample.y_train[known])
    with pytest.raises(
        DataError, match=r"Geography: \d+ rows are Spain, and version 7 was trained on France, Ger"
    ):
        ProductionModel(pipeline, 7, 0.3, "", "").score(load(NEW_CUSTOMERS))


@pytest.mark.parametrize("algorithm", ["logreg", "tree"])
def test_a_missing_value_that_the_training_did_not_impute_is_refused(fitted, algorithm):
    """The description allows it meanwhile. A tree would score it without a word."""
    customers = load(NEW_CUSTOMERS, target=False).head(5)
    customers.loc[[1, 3], "Age"] = float("nan")
    customers.loc[3, "Gender"] = None
    model = ProductionModel(fitted[algorithm], 7, 0.3, "", "")
    message = (
        "Age: 2 rows are without a value, and version 7 was trained without missing values. Fill in or .*\n"
        "  - Gender: 1 row is without a value"
    )
    with pytest.raises(DataError, match=message):
        model.score(customers)
    assert model.unscorable(customers).to_dict() == {
        1: "Age: version 7 was not trained on missing values",
        3: "Age: version 7 was not trained on missing values; "
        "Gender: version 7 was not trained on missing values",
    }


def test_the_production_model_carries_what_its_version_records(store, add_version):
    version = add_version("tree", threshold=0.3)
    promote(store.client, version.name, version.version, "test")
    model = load_production_model(store.client)
    assert (model.version, model.threshold) == (1, 0.3)
    assert (model.run_id, model.data_sha256) == (version.run_id, "abc")


def test_nothing_in_production_is_a_clear_error(store):
    with pytest.raises(RegistryError, match=f"nothing is in production in {store_address()}: "):
        load_production_model(store.client)


@pytest.mark.parametrize("threshold", [None, "high", "nan", "inf", "2", "-0.1", ""])
def test_a_version_without_threshold_is_a_clear_error(store, add_version, threshold):
    version = add_version("tree")
    version = promote(store.client, version.name, version.version, "test")
    if threshold is not None:
        store.client.set_model_version_tag(version.name, version.version, DECISION_THRESHOLD, threshold)
    with pytest.raises(RegistryError, match=f"no {DECISION_THRESHOLD}"):
        require_production_version(store.client)
