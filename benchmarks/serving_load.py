"""How fast the served live model answers: requests a second and their times, as a Markdown table.

    make bench-serving
    python -m benchmarks.serving_load [--seconds 5] [--clients 1,8,32] [--rows 1,100] [--workers 1,2]

Starts the server on loopback, so what is live in the store is measured, and client and server share this
machine's processors. Each client is a thread that keeps its connection and asks again as soon as it is
answered. Fails if any request does.
"""

import argparse
import http.client
import os
import sys
import threading
import time
from urllib.parse import urlsplit

import numpy as np
from tqdm import tqdm

from helpers.config import NEW_CUSTOMERS
from helpers.data import load
from helpers.live import load_live
from helpers.serving import ServingError, request_body, served
from helpers.store import connect

WARM_UP = 1.0  # seconds before the ones that count


def client(url: str, body: bytes, begin: float, end: float, times: list[float]) -> None:
    """Ask until `end`; add the seconds of each request sent after `begin`.

    Parameters
    ----------
    url : str
    body : bytes
        Of every request.
    begin, end : float
        Of ``time.perf_counter``.
    times : list of float
        Is added to.

    Raises
    ------
    ServingError
        If a request is not answered with 200.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    while (sent := time.perf_counter()) < end:
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.client.OK:
            raise ServingError(f"{url} answered {answer.status}: {said[:300]!r}")
        if sent >= begin:
            times.append(time.perf_counter() - sent)
    connection.close()


def load_test(url: str, body: bytes, clients: int, seconds: float) -> np.ndarray:
    """Return the seconds of every request that so many clients had answered."""
    times: list[list[float]] = [[] for _ in range(clients)]
    failed: list[BaseException] = []
    begin = time.perf_counter() + WARM_UP

    def run(number: int) -> None:
        try:
            client(url, body, begin, begin + seconds, times[number])
        except (OSError, http.client.HTTPException, ServingError) as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise ServingError(f"{len(failed)} of {clients} clients met an error, the first: {failed[0]!r}")
    return np.concatenate(times)


def numbers(text: str) -> list[int]:
    """Read ``1,8,32``."""
    return [int(number) for number in text.split(",")]


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--seconds", type=float, default=5, help="of each measurement")
    cli.add_argument("--clients", type=numbers, default="1,8,32", help="at the same time")
    cli.add_argument("--rows", type=numbers, default="1,100", help="customers in a request")
    cli.add_argument("--workers", type=numbers, default="1,2", help="processes of the server")
    options = cli.parse_args(arguments)
    os.environ.pop("CHURN_SERVE_URL", None)  # a server of this measurement's own, with so many workers
    customers = load(NEW_CUSTOMERS, target=False)
    table = [
        "| workers | customers a request | clients | requests/s | customers/s | p50 | p99 |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    bar = tqdm(total=len(options.workers) * len(options.rows) * len(options.clients), desc="measuring")
    try:
        live = load_live(connect().client)
        for workers in options.workers:
            with served(workers=workers) as url:
                for rows in options.rows:
                    body = request_body(customers.head(rows))
                    for clients in options.clients:
                        times = load_test(url, body, clients, options.seconds)
                        p50, p99 = np.percentile(times, [50, 99]) * 1000
                        rate = len(times) / options.seconds
                        table.append(
                            f"| {workers} | {rows} | {clients} | {rate:.0f} | {rate * rows:,.0f} "
                            f"| {p50:.0f} ms | {p99:.0f} ms |"
                        )
                        bar.update()
    except ServingError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        bar.close()
    kind = type(live.pipeline["classify"]).__name__
    print(f"{kind}, version {live.version}; {os.cpu_count()} cores, clients included.\n")
    print("\n".join(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
