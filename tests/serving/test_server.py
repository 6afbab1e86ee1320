"""Real model servers on loopback: the same scores as in the process, through promotions and mistakes."""

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pandas as pd
import pytest
from sklearn.base import clone

from helpers.config import FEATURES, NEW_CUSTOMERS, PRODUCTION, PRODUCTION_MODEL, TARGET
from helpers.data.loading import load
from helpers.errors import ServingError
from helpers.registry.production import load_production_model
from helpers.registry.stages import promote, register, roll_back
from helpers.registry.versions import DIGEST_TAG, production_version
from helpers.serving import served_model
from helpers.serving.served_model import BadCustomers, as_customers
from helpers.serving.server import ROWS, model_server, request_scores
from helpers.tracking.artifacts import log_model
from helpers.tracking.store import Store, connect
from helpers.training.algorithms import CLASSIFY, make_pipeline
from tests.support import stores
from tests.support.servers import answers, mlflow_server, wait

THRESHOLDS = {"knn": "0.2", "tree": "0.3", "logreg": "0.4"}


def add(store: Store, name: str, model, X: pd.DataFrame):
    """Log and register a small model."""
    run = store.client.create_run(store.experiment_id)
    uri = log_model(run.info.run_id, model, X)
    store.client.set_terminated(run.info.run_id)
    return register(store.client, name, uri, run.info.run_id, {"decision_threshold": THRESHOLDS[name]})


def go_live(store: Store, name: str, model, sample):
    version = add(store, name, model, sample.X_train)
    return promote(store.client, version.name, version.version, "test")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load(NEW_CUSTOMERS, target=False)


@pytest.fixture(scope="module")
def registry(fitted, sample):
    """Return a store in which a tree is live."""
    with stores.in_use(stores.empty()):
        store = connect()
        go_live(store, "tree", fitted["tree"], sample)
        yield store


@pytest.fixture(scope="module")
def url(registry):
    with model_server() as url:
        yield url


def answering(url: str, customers: pd.DataFrame) -> int:
    return int(request_scores(url, customers.head(1))["model_version"].iloc[0])


def post(url: str, body: str, content_type: str = "application/json"):
    headers = {"Content-Type": content_type}
    return urllib.request.urlopen(urllib.request.Request(f"{url}/invocations", body.encode(), headers))


def test_served_scores_are_those_of_the_process(registry, url, customers):
    shuffled = customers.sample(frac=1, random_state=0)
    expected = load_production_model(registry.client).score(shuffled)
    pd.testing.assert_frame_equal(request_scores(url, shuffled), expected, check_exact=True)


def test_more_customers_than_fit_into_one_request(registry, url, customers):
    many = pd.concat([customers] * (ROWS // len(customers) + 1), ignore_index=True)
    pd.testing.assert_frame_equal(
        request_scores(url, many), load_production_model(registry.client).score(many), check_exact=True
    )


def test_every_format_of_mlflow_s_protocol_is_understood(registry, url, customers):
    few = customers.head(3)
    expected = load_production_model(registry.client).score(few).to_dict(orient="records")
    records = few.to_dict(orient="records")
    for body in (
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": few.to_dict(orient="list")},
        {"dataframe_split": few.assign(Hobby="chess").to_dict(orient="split")},
    ):
        with post(url, json.dumps(body)) as answer:
            assert json.load(answer)["predictions"] == expected
    with post(url, few.to_csv(index=False), "text/csv") as answer:
        assert json.load(answer)["predictions"] == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Age": [30, "forty", 50]}, "Age: 1 row is not a number (row 2: 'forty')"),
        ({"Age": [30, 40, None]}, "Age: 1 row is without a value (row 3)"),
        ({"Age": [30, 40, 400]}, "Age: 1 row is outside 18 to 100 (row 3: '400')"),
        ({"Geography": ["Italy", "Spain", "Spain"]}, "Geography: 1 row is not one of France, Germany, Spain"),
        ({"Balance": [1, [2], 3]}, "Balance: row 2 holds a list"),
    ],
)
def test_bad_rows_are_refused_with_row_and_column(url, customers, changes, said):
    with pytest.raises(ServingError) as raised:
        request_scores(url, customers.head(3).assign(**changes))
    assert f"answered 400: {'Balance' if 'Balance' in changes else 'the request cannot be used'}" in str(
        raised.value
    )
    assert said in str(raised.value)


def test_missing_columns_are_named_and_no_customer_is_repeated_in_the_answer(url, customers):
    body = customers.head(2).drop(columns=["Age", "Gender"])
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(url, body.to_csv(index=False), "text/csv")
    said = json.load(raised.value)
    assert raised.value.code == 400
    assert said["message"].startswith(
        "the request cannot be used, 2 problems:\n  - Gender: the column is missing"
    )
    assert "Age: the column is missing" in said["message"]
    with pytest.raises(ServingError, match="no rows"):
        request_scores(url, customers.head(0))


def test_a_table_that_is_none_is_refused():
    with pytest.raises(BadCustomers, match="not a table"):
        as_customers({"Age": [1, 2], "Balance": [1]})
    with pytest.raises(BadCustomers, match="Age twice"):
        as_customers(pd.DataFrame([[1, 2]], columns=["Age", "Age"]))


def test_identifiers_and_outcome_are_not_looked_at(customers):
    known = customers.head(2).assign(CustomerId=1, Exited=7)
    pd.testing.assert_frame_equal(as_customers(known)[FEATURES], customers.head(2)[FEATURES])
    assert TARGET not in as_customers(known)


def test_promotions_and_a_roll_back_lose_no_request(registry, url, customers, fitted, sample):
    few, stop = customers.head(20), Event()

    def keep_asking() -> list[pd.DataFrame]:
        answers = []
        while not stop.is_set():
            answers.append(request_scores(url, few))
        return answers

    expected = {1: load_production_model(registry.client).score(few)}
    with ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(keep_asking) for _ in range(6)]
        try:
            for name in ("logreg", "knn"):
                version = int(go_live(registry, name, fitted[name], sample).version)
                expected[version] = load_production_model(registry.client).score(few)
                wait(lambda version=version: answering(url, customers) == version, seconds=60)
            roll_back(registry.client, "test")
            wait(lambda: answering(url, customers) == 2, seconds=60)
        finally:
            stop.set()
        answered = [client.result() for client in clients]  # raises what a client met
    for one in answered:
        for answer in one:
            version = int(answer["model_version"].iloc[0])
            pd.testing.assert_frame_equal(answer, expected[version], check_exact=True)
        order = [int(answer["model_version"].iloc[0]) for answer in one]
        changes = [b for a, b in zip([0, *order], order, strict=False) if a != b]
        assert changes == [1, 2, 3, 2]


@pytest.mark.parametrize("broken", ["other weights", "no threshold", "other columns", "nothing"])
def test_what_cannot_answer_is_not_taken_over(
    registry, customers, fitted, sample, monkeypatch, caplog, broken
):
    monkeypatch.setattr(served_model, "POLL_SECONDS", 0.1)
    before, client, model = production_version(registry.client), registry.client, fitted["tree"]
    served_here = served_model.ServedModel()
    served_here.load_context(None)
    expected = served_here.predict(None, customers)
    try:
        if broken == "nothing":
            client.delete_registered_model_alias(PRODUCTION_MODEL, PRODUCTION)
        else:
            X = sample.X_train[["Age"]] if broken == "other columns" else sample.X_train
            model = clone(model[CLASSIFY]).fit(X, sample.y_train) if broken == "other columns" else model
            version = add(registry, "tree", model, X)
            copy = client.copy_model_version(f"models:/{version.name}/{version.version}", PRODUCTION_MODEL)
            if broken == "no threshold":
                client.delete_model_version_tag(PRODUCTION_MODEL, copy.version, "decision_threshold")
            if broken == "other weights":
                client.set_model_version_tag(PRODUCTION_MODEL, copy.version, DIGEST_TAG, "0" * 64)
            client.set_registered_model_alias(PRODUCTION_MODEL, PRODUCTION, copy.version)
        wait(lambda: "goes on answering" in caplog.text, seconds=20)
        time.sleep(0.5)
        pd.testing.assert_frame_equal(served_here.predict(None, customers), expected, check_exact=True)
        assert caplog.text.count("goes on answering") == 1
        live = go_live(registry, "logreg", fitted["logreg"], sample)
        wait(
            lambda: (served_here.predict(None, customers)["model_version"] == int(live.version)).all(),
            seconds=20,
        )
    finally:
        served_here.stop()
        client.set_registered_model_alias(PRODUCTION_MODEL, PRODUCTION, before.version)


def test_a_category_that_the_live_model_never_saw_is_refused(sample, customers):
    X = sample.X_train[sample.X_train["Geography"] != "Spain"]
    model = make_pipeline("tree").fit(X, sample.y_train[X.index])
    with stores.in_use(stores.empty()):
        store = connect()
        promote(store.client, add(store, "tree", model, X).name, 1, "test")
        served_here = served_model.ServedModel()
        served_here.load_context(None)
        try:
            with pytest.raises(BadCustomers, match="Geography: 1 row is Spain"):
                served_here.predict(None, customers.head(1).assign(Geography="Spain"))
        finally:
            served_here.stop()


def test_told_to_stop_it_answers_what_it_was_asked(registry, customers):
    many = pd.concat([customers] * 5, ignore_index=True)
    with ThreadPoolExecutor(4) as pool:
        with model_server(workers=2) as url:
            asked = [pool.submit(request_scores, url, many) for _ in range(4)]
            time.sleep(0.3)
            assert not all(client.done() for client in asked)
        assert [len(client.result()) for client in asked] == [len(many)] * 4
    with pytest.raises(ServingError, match="make serve"):
        request_scores(url, customers)


def test_nothing_live_is_said_at_once():
    with (
        stores.in_use(stores.empty()),
        pytest.raises(ServingError, match=r"did not start: Error: nothing is in production"),
        model_server(),
    ):
        pass


def test_a_server_that_runs_already_is_used(monkeypatch):
    monkeypatch.setenv("CHURN_SERVE_URL", "http://127.0.0.1:1/")
    with model_server() as url:
        assert url == "http://127.0.0.1:1"


@pytest.mark.stack
def test_a_registry_that_is_down_is_survived(tmp_path, customers, fitted, sample):
    database, artifacts = f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "artifacts")
    with mlflow_server(tmp_path, database, artifacts) as server, stores.in_use(server.url):
        store = connect()
        go_live(store, "tree", fitted["tree"], sample)
        with model_server() as url:
            expected = load_production_model(store.client).score(customers)
            server.kill()
            until = time.monotonic() + 10
            while time.monotonic() < until:
                pd.testing.assert_frame_equal(request_scores(url, customers), expected, check_exact=True)
            server.restart()
            wait(lambda: answers(f"{server.url}/health"), server)
            go_live(store, "logreg", fitted["logreg"], sample)
            wait(lambda: answering(url, customers) == 2, seconds=90)
