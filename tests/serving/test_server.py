"""Real model servers on loopback: the same scores as in the process, through promotions and failures."""

import gzip
import json
import select
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pandas as pd
import pytest

from helpers.errors import ServingError
from helpers.registry import load_production_model, roll_back
from helpers.serving.request_body import MAX_CUSTOMERS, to_json
from helpers.serving.server import model_server, request_scores
from helpers.tracking import connect
from tests.serving.versions import promote_model
from tests.support import stores
from tests.support.servers import answers, http_server, mlflow_server, wait


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
    many = pd.concat([customers] * (MAX_CUSTOMERS // len(customers) + 1), ignore_index=True)
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
    many = pd.concat([customers] * 5, ignore_index=True)
    body = to_json(many)
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


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://anna:s3cret@[::1", "127.0.0.1:8080"])
def test_an_address_without_a_server_is_one_message(customers, url):
    with pytest.raises(ServingError, match=r"no model server answers at .*: start one with") as raised:
        request_scores(url, customers.head(1))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("answer", [b"<html>fine</html>", b"{}", b"[1]", b"null"])
def test_another_product_at_the_address_is_one_message(customers, answer):
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Other) as url, pytest.raises(ServingError, match=f"no model server answers at {url}"):
        request_scores(url, customers.head(1))


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


HEADER = (
    "CreditScore,Geography,Gender,Age,Tenure,Balance,NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary"
)
ROW = "600,France,Male,40,3,0,1,1,1,50000"


def raw(url: str, body: bytes, content_type: str) -> tuple[int, str]:
    """Send any bytes; return status and the whole response."""
    request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def record(**changes) -> dict:
    row = dict(zip(HEADER.split(","), [600, "France", "Male", 40, 3, 0, 1, 1, 1, 50000], strict=True))
    return row | changes


NONSENSE = {
    "two columns": (f"{HEADER},Age\n{ROW},41\n".encode(), "text/csv", 400, "duplicate column Age"),
    "two keys": (
        json.dumps({"dataframe_records": [record()]}).replace('"Age": 40', '"Age": 40, "Age": 41').encode(),
        "application/json",
        400,
        "duplicate column Age",
    ),
    "two columns, split": (
        b'{"dataframe_split": {"columns": ["Age", "Age"], "data": [[1, 2]]}}',
        "application/json",
        400,
        "duplicate column Age",
    ),
    "long line": (f"{HEADER}\n{ROW},1,2\n".encode(), "text/csv", 400, "line 2 has 12 fields"),
    "open quote": (f'{HEADER}\n"{ROW}\n{ROW}\n'.encode(), "text/csv", 400, "a quote opens on line 2"),
    "deep": (b"[" * 100_000, "application/json", 400, "nested too deeply"),
    "deep value": (b'{"inputs":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400, "nested"),
    "large": (b"x" * 20_000_000, "text/csv", 413, "5,000,000 bytes"),
    "many": (f"{HEADER}\n".encode() + f"{ROW}\n".encode() * 10_001, "text/csv", 413, "10,001 customers"),
    "not JSON": (b"{", "application/json", 400, "not JSON"),
    "list": (b"[1, 2]", "application/json", 400, "exactly one of"),
    "no names": (b'{"inputs": [[1, 2]]}', "application/json", 400, "inputs must be"),
    "null": (b'{"dataframe_split": null}', "application/json", 400, "dataframe_split must be"),
    "columns that are no text": (
        b'{"dataframe_split": {"columns": [["Age"], {}], "data": [[1, 2]]}}',
        "application/json",
        400,
        "columns that are not text",
    ),
    "params": (
        json.dumps({"inputs": [record()], "params": {"threshold": 0.1}}).encode(),
        "application/json",
        400,
        "exactly one of",
    ),
    "gzip": (gzip.compress(b'{"inputs": []}'), "application/json", 415, "compressed with gzip"),
    "long value": (f'{HEADER}\n"{"x" * 200_000}"\n'.encode(), "text/csv", 400, "line 2 has a value of more"),
    "long header": (b"x" * 200_000, "text/csv", 400, "does not start with the header"),
    "not UTF-8": (b"Age\n\xff\n", "text/csv", 400, "has Windows-1252: write UTF-8"),
    "JSON not UTF-8": (b'{"\xff": 1}', "application/json", 400, "not UTF-8"),
    "empty": (b"", "text/csv", 400, "is empty"),
    "other type": (b"Age\n1\n", "text/plain", 415, "content type"),
    "Infinity": (
        json.dumps({"inputs": [record(Age=float("inf"))]}).encode(),
        "application/json",
        400,
        "Age: 1 row is outside 18 to 100 (row 1",
    ),
    "NaN": (
        json.dumps({"inputs": [record(Age=float("nan"))]}).encode(),
        "application/json",
        400,
        "Age: 1 row is without a value (row 1)",
    ),
    "huge": (
        json.dumps({"inputs": [record(Age=10**400)]}).encode(),
        "application/json",
        400,
        "Age: ",
    ),
    "True in a CSV": (
        f"{HEADER}\n{ROW.replace(',3,', ',True,')}\n".encode(),
        "text/csv",
        400,
        "Tenure: 1 row",
    ),
    **{
        f"true in {form}": (
            json.dumps({form: [record(), record(Tenure=True)]}).encode(),
            "application/json",
            400,
            "Tenure: 1 row is not a number (row 2: 'True')",
        )
        for form in ("dataframe_records", "inputs", "instances")
    },
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_with_one_message(url, name):
    body, content_type, status, message = NONSENSE[name]
    found, answer = raw(url, body, content_type)
    assert (found, json.loads(answer).keys()) == (status, {"error_code", "message"}), answer[:500]
    assert message in json.loads(answer)["message"]
    assert "Traceback" not in answer and len(answer) < 1000


def test_a_body_of_unknown_length_is_refused_at_the_limit(url):
    address = urlsplit(url)
    client = HTTPConnection(address.hostname, address.port, timeout=60)
    chunks = (b"x" * 100_000 for _ in range(200))
    client.request("POST", "/invocations", chunks, {"Content-Type": "text/csv"}, encode_chunked=True)
    assert client.getresponse().status == 413


def test_true_and_false_are_values_of_a_binary_column(url):
    body = json.dumps({"inputs": [record(HasCrCard=True, IsActiveMember=False)]}).encode()
    same = json.dumps({"inputs": [record(HasCrCard=1, IsActiveMember=0)]}).encode()
    assert raw(url, body, "application/json") == raw(url, same, "application/json")
