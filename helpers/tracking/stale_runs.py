"""Who a run belongs to, and what to do with the runs of those who died."""

import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from threading import Event

import psutil
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

OWNER, HEARTBEAT = "owner", "heartbeat"

# Of a process on another machine we only see what it writes: a heartbeat every minute.
BEAT_SECONDS = 60
SILENT_SECONDS = 10 * BEAT_SECONDS
WITHOUT_BEAT_SECONDS = 24 * 3600


def owner() -> str:
    """Return this process as ``machine:process id:start time``."""
    return f"{_machine()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def send_heartbeats(client: MlflowClient, run_id: str, ended: Event) -> None:
    """Write a run's heartbeat until ``ended`` is set; made for a thread."""
    while not ended.wait(BEAT_SECONDS):
        with suppress(MlflowException):
            client.set_tag(run_id, HEARTBEAT, str(time.time()))


def is_stale(run: Run, now: float | None = None) -> bool:
    """Tell whether the process that made a run is gone.

    On this machine that is looked up. Of another machine's (or container's) process, ten minutes without a
    heartbeat say so; a run that has no heartbeat counts as dead after a day.

    Parameters
    ----------
    run : Run
        With the tag ``owner``.
    now : float, optional
        Seconds since the epoch.
    """
    machine, pid, started = run.data.tags[OWNER].rsplit(":", 2)
    if machine == _machine():
        with suppress(psutil.NoSuchProcess):
            # The same number may be another process by now. The kernel's clock is not exact.
            return abs(psutil.Process(int(pid)).create_time() - float(started)) > 5
        return True
    beat = run.data.tags.get(HEARTBEAT)
    last = float(beat) if beat else run.info.start_time / 1000
    limit = SILENT_SECONDS if beat else WITHOUT_BEAT_SECONDS
    return (now or time.time()) - last > limit


def terminate_stale_runs(client: MlflowClient, experiment_id: str) -> list[str]:
    """Close as ``KILLED`` what dead processes left running, with everything below it.

    Returns
    -------
    list of str
        The ids of the top-level runs that were closed.
    """
    closed = []
    for run in search_runs(client, experiment_id, f"attributes.status = 'RUNNING' and tags.{OWNER} != ''"):
        if is_stale(run):
            terminate_run(client, run, "KILLED")
            closed.append(run.info.run_id)
    return closed


def terminate_run(client: MlflowClient, run: Run, status: str) -> None:
    """End a run and everything below it that still runs, from the leaves up."""
    # A finished fold can't have a running leaf: it is ended after its leaves.
    query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    for child in search_runs(client, run.info.experiment_id, query):
        terminate_run(client, child, status)
    client.set_terminated(run.info.run_id, status)


def search_runs(client: MlflowClient, experiment_id: str, query: str) -> list[Run]:
    """Return all runs that a query finds, page by page."""
    found, token = [], None
    while True:
        page = client.search_runs([experiment_id], query, max_results=1000, page_token=token)
        found += page
        if not (token := page.token):
            return found


def _machine() -> str:
    # Containers of one machine share its boot id and differ in their name.
    with suppress(OSError):
        return f"{platform.node()}-{Path('/proc/sys/kernel/random/boot_id').read_text()[:8]}"
    return platform.node()
