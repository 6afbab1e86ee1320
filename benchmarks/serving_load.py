"""Throughput and latency of the model server: a table in Markdown.

    python -m benchmarks.serving_load [--workers 1] [--seconds 5]

Serves the production model of the current store (`make run` promotes one) on loopback, or uses the server at
``CHURN_SERVE_URL``. Clients are threads of this process. Each keeps one connection open and sends the next
request when the last one is answered; they share the machine's cores with the server.
"""

import argparse
import http.client
import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from helpers.data import load
from helpers.markdown import markdown_table
from helpers.serving import model_server
from tests.support.bank import FEATURES, NEW_CUSTOMERS

CLIENTS, ROWS = (1, 8, 32), (1, 100)
WARM_UP = 1.0  # seconds, not counted


class Load(NamedTuple):
    """Throughput and latency under one load; times in milliseconds."""

    rows: int
    clients: int
    requests_per_second: float
    p50: float
    p99: float


def measure(url: str, customers: pd.DataFrame, clients: int, seconds: float) -> Load:
    """Request scores of the same customers repeatedly.

    Parameters
    ----------
    url : str
    customers : DataFrame of shape (n_rows, n_columns)
        Sent with every request.
    clients : int
        Number of concurrent clients.
    seconds : float
        Duration after warming up.

    Raises
    ------
    RuntimeError
        If any response is not 200.
    """
    body = json.dumps({"dataframe_split": customers[FEATURES].to_dict(orient="split", index=False)})
    start = time.perf_counter() + WARM_UP

    def send_requests() -> list[float]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=90)
        times = []
        while (sent := time.perf_counter()) < start + seconds:
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            if response.status != 200:
                raise RuntimeError(f"{url} answered {response.status}: {content[:300]!r}")
            if sent >= start:
                times.append(time.perf_counter() - sent)
        connection.close()
        return times

    with ThreadPoolExecutor(clients) as pool:
        futures = [pool.submit(send_requests) for _ in range(clients)]
        times = np.concatenate([future.result() for future in futures]) * 1000
    p50, p99 = np.percentile(times, [50, 99])
    return Load(len(customers), clients, len(times) / seconds, p50, p99)


def main(arguments: list[str] | None = None) -> None:
    """Measure every load and print the table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--workers", type=int, default=1, help="server processes (default: 1)")
    cli.add_argument("--seconds", type=float, default=5, help="per row of the table (default: 5)")
    options = cli.parse_args(arguments)
    customers = load(NEW_CUSTOMERS, target=False)
    with model_server(workers=options.workers) as url:
        loads = [
            measure(url, customers.head(rows), clients, options.seconds)
            for rows in ROWS
            for clients in CLIENTS
        ]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, mlflow {version('mlflow')}"
    print(f"\n{machine}, {time.strftime('%Y-%m-%d')}; server with {options.workers} worker(s).\n")
    print(markdown(loads))


def markdown(loads: list[Load]) -> str:
    """Return the results as a Markdown table."""
    table = pd.DataFrame(loads).rename(
        columns={
            "rows": "customers per request",
            "requests_per_second": "requests/s",
            "p50": "p50, ms",
            "p99": "p99, ms",
        }
    )
    table.insert(3, "customers/s", table["requests/s"] * table["customers per request"])
    return markdown_table(table, dict.fromkeys(table.columns[2:], ".0f"))


if __name__ == "__main__":
    main()
