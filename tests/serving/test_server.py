"""Real model servers on loopback: the same scores as in the process, through promotions and failures."""

import json
import select
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pandas as pd
import pytest

from helpers.errors import ServingError
from helpers.registry import load_production_model, roll_back
from helpers.serving.server import ROWS, _request_body, model_server, request_scores
from helpers.tracking import connect
from tests.serving.versions import promote_model
from tests.support import stores
from tests.support.servers import answers, mlflow_server, wait


def serving_version(url: str, customers: pd.DataFrame) -> int:
    return int(request_scores(url, customers.head(1))["model_version"].iloc[0])


def received_requests(port: int) -> int:
    """Return how many connections a server has accepted and read empty."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        local.endswith(f":{port:04X}") and state == "01" and queues.endswith(":00000000") and inode != "0"
        for _, local, _, state, queues, *_, inode in (fields[:10] for fields in sockets)
    )


def post(url: str, body: str, content_type: str = "application/json"):
    headers = {"Content-Type": content_type}
    return urllib.request.urlopen(urllib.request.Request(f"{url}/invocations", body.encode(), headers))


def test_served_scores_are_those_of_the_process(registry, url, customers):
    shuffled = customers.sample(frac=1, random_state=0)
    expected = load_production_model(registry.client).score(shuffled)
    pd.testing.assert_frame_equal(request_scores(url, shuffled), expected, check_exact=True)


def test_more_customers_than_one_request_takes_are_split(registry, url, customers):
    many = pd.concat([customers] * (ROWS // len(customers) + 1), ignore_index=True)
    pd.testing.assert_frame_equal(
        request_scores(url, many), load_production_model(registry.client).score(many), check_exact=True
    )


def test_every_format_of_the_mlflow_protocol_is_accepted(registry, url, customers):
    few = customers.head(3)
    expected = load_production_model(registry.client).score(few).to_dict(orient="records")
    records = few.to_dict(orient="records")
    for body in (
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": few.to_dict(orient="list")},
        {"dataframe_split": few.assign(Hobby="chess").to_dict(orient="split")},
    ):
        with post(url, json.dumps(body)) as response:
            assert json.load(response)["predictions"] == expected
    with post(url, few.to_csv(index=False), "text/csv") as response:
        assert json.load(response)["predictions"] == expected


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Age": [30, "forty", 50]}, "Age: 1 row is not a number (row 2: 'forty')"),
        ({"Age": [30, 40, None]}, "Age: 1 row is without a value (row 3)"),
        ({"Age": [30, 40, 400]}, "Age: 1 row is outside 18 to 100 (row 3: '400')"),
        ({"Geography": ["Italy", "Spain", "Spain"]}, "Geography: 1 row is not one of France, Germany, Spain"),
        ({"Balance": [1, [2], 3]}, "Balance: row 2 has a list"),
    ],
)
def test_bad_rows_are_rejected_with_row_and_column(url, customers, changes, problem):
    with pytest.raises(ServingError) as raised:
        request_scores(url, customers.head(3).assign(**changes))
    assert f"answered 400: {'Balance' if 'Balance' in changes else 'the request cannot be used'}" in str(
        raised.value
    )
    assert problem in str(raised.value)


def test_missing_columns_are_named_and_no_customer_is_repeated_in_the_response(url, customers):
    body = customers.head(2).drop(columns=["Age", "Gender"])
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(url, body.to_csv(index=False), "text/csv")
    message = json.load(raised.value)["message"]
    assert raised.value.code == 400
    assert message.startswith("the request cannot be used, 2 problems:\n  - Gender: the column is missing")
    assert "Age: the column is missing" in message
    with pytest.raises(ServingError, match="no rows"):
        request_scores(url, customers.head(0))


def test_promotions_and_a_rollback_lose_no_request(registry, url, customers, fitted, sample):
    few, stop = customers.head(20), Event()

    def keep_requesting() -> list[pd.DataFrame]:
        responses = []
        while not stop.is_set():
            responses.append(request_scores(url, few))
        return responses

    expected = {1: load_production_model(registry.client).score(few)}
    with ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(keep_requesting) for _ in range(6)]
        try:
            for name in ("logreg", "knn"):
                version = int(promote_model(registry, name, fitted[name], sample).version)
                expected[version] = load_production_model(registry.client).score(few)
                wait(lambda version=version: serving_version(url, customers) == version, seconds=60)
            roll_back(registry.client, "test")
            wait(lambda: serving_version(url, customers) == 2, seconds=60)
        finally:
            stop.set()
        results = [client.result() for client in clients]  # raises any error of a client
    for responses in results:
        for scores in responses:
            version = int(scores["model_version"].iloc[0])
            pd.testing.assert_frame_equal(scores, expected[version], check_exact=True)
        order = [int(scores["model_version"].iloc[0]) for scores in responses]
        changes = [b for a, b in zip([0, *order], order, strict=False) if a != b]
        assert changes == [1, 2, 3, 2]


def test_a_stopped_server_completes_the_requests_in_flight(registry, customers):
    # Enough that even a busy machine finds some unanswered.
    many = pd.concat([customers] * 20, ignore_index=True)
    body = _request_body(many)
    with model_server(workers=2) as url:
        address = urlsplit(url)
        clients = [HTTPConnection(address.hostname, address.port, timeout=300) for _ in range(4)]
        for client in clients:
            client.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        wait(lambda: received_requests(address.port) == len(clients))
        answered = select.select([client.sock for client in clients], [], [], 0)[0]
        assert len(answered) < len(clients)
    for client in clients:
        assert len(json.load(client.getresponse())["predictions"]) == len(many)
    with pytest.raises(ServingError, match="churn serve"):
        request_scores(url, customers)


def test_a_server_without_production_model_fails_with_one_message():
    with (
        stores.in_use(stores.empty()),
        pytest.raises(ServingError, match=r"ended \(exit code 1\): Error: nothing is in production"),
        model_server(),
    ):
        pass


def test_the_server_in_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("CHURN_SERVE_URL", "http://127.0.0.1:1/")
    with model_server() as url:
        assert url == "http://127.0.0.1:1"


@pytest.mark.stack
def test_a_registry_outage_does_not_stop_serving(tmp_path, customers, fitted, sample):
    database, artifacts = f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "artifacts")
    with mlflow_server(tmp_path, database, artifacts) as server, stores.in_use(server.url):
        store = connect()
        promote_model(store, "tree", fitted["tree"], sample)
        with model_server() as url:
            expected = load_production_model(store.client).score(customers)
            server.kill()
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                pd.testing.assert_frame_equal(request_scores(url, customers), expected, check_exact=True)
            server.restart()
            wait(lambda: answers(f"{server.url}/health"), server)
            promote_model(store, "logreg", fitted["logreg"], sample)
            wait(lambda: serving_version(url, customers) == 2, seconds=90)
