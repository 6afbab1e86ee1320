"""The model behind the server, in this process: what it rejects, and which versions it switches to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from sklearn.base import clone

from helpers.config import DECISION_THRESHOLD, PRODUCTION
from helpers.registry.model_files import MANIFEST_TAG
from helpers.registry.production_stage import promote
from helpers.registry.versions import production_version
from helpers.serving import served_model
from helpers.serving.served_model import BadCustomers, ServedModel, as_customers
from helpers.tracking import connect
from helpers.training import CLASSIFY, make_pipeline
from tests.serving.versions import promote_model, register_model
from tests.support import stores
from tests.support.bank import FEATURES, PRODUCTION_MODEL, TARGET
from tests.support.servers import wait


@contextmanager
def serving() -> Iterator[ServedModel]:
    """Load the served model in this process."""
    model = ServedModel()
    model.load_context(None)
    try:
        yield model
    finally:
        model.stop()


def test_a_request_that_is_not_a_table_is_rejected():
    with pytest.raises(BadCustomers, match="not a table"):
        as_customers({"Age": [1, 2], "Balance": [1]})
    with pytest.raises(BadCustomers, match="duplicate column Age"):
        as_customers(pd.DataFrame([[1, 2]], columns=["Age", "Age"]))


def test_identifiers_and_outcome_are_ignored(customers):
    request = customers.head(2).assign(CustomerId=1, Exited=7)
    pd.testing.assert_frame_equal(as_customers(request)[FEATURES], customers.head(2)[FEATURES])
    assert TARGET not in as_customers(request)


@pytest.mark.parametrize("fault", ["other weights", "no threshold", "other columns", "no alias"])
def test_a_version_that_cannot_score_is_not_switched_to(
    registry, customers, fitted, sample, monkeypatch, caplog, fault
):
    monkeypatch.setattr(served_model, "POLL_SECONDS", 0.1)
    client, before = registry.client, production_version(registry.client)
    with serving() as model:
        expected = model.predict(None, customers)
        try:
            break_production(registry, fitted["tree"], sample, fault)
            wait(lambda: "keep serving" in caplog.text, seconds=20)
            time.sleep(0.5)
            pd.testing.assert_frame_equal(model.predict(None, customers), expected, check_exact=True)
            assert caplog.text.count("keep serving") == 1
            sound = promote_model(registry, "logreg", fitted["logreg"], sample)
            wait(
                lambda: (model.predict(None, customers)["model_version"] == int(sound.version)).all(),
                seconds=20,
            )
        finally:
            client.set_registered_model_alias(PRODUCTION_MODEL, PRODUCTION, before.version)


def break_production(registry, model, sample, fault: str) -> None:
    """Point the production alias at a version with a fault, or delete it."""
    client = registry.client
    if fault == "no alias":
        client.delete_registered_model_alias(PRODUCTION_MODEL, PRODUCTION)
        return
    X = sample.X_train
    if fault == "other columns":
        X = X[["Age"]]
        model = clone(model[CLASSIFY]).fit(X, sample.y_train)
    version = register_model(registry, "tree", model, X)
    copy = client.copy_model_version(f"models:/{version.name}/{version.version}", PRODUCTION_MODEL)
    if fault == "no threshold":
        client.delete_model_version_tag(PRODUCTION_MODEL, copy.version, DECISION_THRESHOLD)
    if fault == "other weights":
        client.set_model_version_tag(PRODUCTION_MODEL, copy.version, MANIFEST_TAG, "0" * 64 + "  MLmodel\n")
    client.set_registered_model_alias(PRODUCTION_MODEL, PRODUCTION, copy.version)


def test_a_category_outside_the_training_table_is_rejected(sample, customers):
    X = sample.X_train[sample.X_train["Geography"] != "Spain"]
    pipeline = make_pipeline("tree").fit(X, sample.y_train[X.index])
    with stores.in_use(stores.empty()):
        store = connect()
        promote(store.client, register_model(store, "tree", pipeline, X).name, 1, "test")
        with serving() as model, pytest.raises(BadCustomers, match="Geography: 1 row is Spain"):
            model.predict(None, customers.head(1).assign(Geography="Spain"))
