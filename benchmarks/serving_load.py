"""How many requests the served model answers, and how fast: a table in Markdown.

    python -m benchmarks.serving_load [--workers 1] [--seconds 5]

Asks the live model of the store at hand (`make run` promotes one) on loopback, or the server in
``CHURN_SERVE_URL``. Clients are threads of this process, each with one connection kept open and the next
request sent when the last is answered; they share the machine's cores with the server.
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

from helpers.config import FEATURES, NEW_CUSTOMERS
from helpers.data import load
from helpers.serving import model_server

CLIENTS, ROWS = (1, 8, 32), (1, 100)
WARM_UP = 1.0  # seconds, not counted


class Load(NamedTuple):
    """What one load did: times in milliseconds."""

    rows: int
    clients: int
    requests_per_second: float
    p50: float
    p99: float


def measure(url: str, customers: pd.DataFrame, clients: int, seconds: float) -> Load:
    """Let clients ask for the same customers again and again.

    Parameters
    ----------
    url : str
    customers : DataFrame of shape (n_rows, n_columns)
        Sent with every request.
    clients : int
        How many ask at once.
    seconds : float
        Counted; some more before, to warm up.

    Raises
    ------
    RuntimeError
        If a single request is not answered with 200.
    """
    body = json.dumps({"dataframe_split": customers[FEATURES].to_dict(orient="split", index=False)})
    start = time.perf_counter() + WARM_UP

    def ask_until_the_end() -> list[float]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=90)
        times = []
        while (began := time.perf_counter()) < start + seconds:
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{url} answered {answer.status}: {said[:300]!r}")
            if began >= start:
                times.append(time.perf_counter() - began)
        connection.close()
        return times

    with ThreadPoolExecutor(clients) as pool:
        asked = [pool.submit(ask_until_the_end) for _ in range(clients)]
        times = np.concatenate([one.result() for one in asked]) * 1000
    p50, p99 = np.percentile(times, [50, 99])
    return Load(len(customers), clients, len(times) / seconds, p50, p99)


def main(arguments: list[str] | None = None) -> None:
    """Measure every load and print the table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--workers", type=int, default=1, help="processes of the server (default: 1)")
    cli.add_argument("--seconds", type=float, default=5, help="per line of the table (default: 5)")
    options = cli.parse_args(arguments)
    customers = load(NEW_CUSTOMERS, target=False)
    with model_server(workers=options.workers) as url:
        loads = [
            measure(url, customers.head(rows), clients, options.seconds)
            for rows in ROWS
            for clients in CLIENTS
        ]
    here = f"{os.cpu_count()} cores, Python {platform.python_version()}, mlflow {version('mlflow')}"
    print(f"\n{here}, {time.strftime('%Y-%m-%d')}; server with {options.workers} worker(s).\n")
    print("| customers a request | clients | requests/s | customers/s | p50 | p99 |\n" + "| --- " * 6 + "|")
    for one in loads:
        print(
            f"| {one.rows} | {one.clients} | {one.requests_per_second:.0f} "
            f"| {one.requests_per_second * one.rows:.0f} | {one.p50:.0f} ms | {one.p99:.0f} ms |"
        )


if __name__ == "__main__":
    main()
