"""Run ownership: heartbeats, and cleanup of runs whose process has exited."""

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

# For processes on other machines, the heartbeat is all we can observe: one a minute.
HEARTBEAT_SECONDS = 60
STALE_AFTER_SECONDS = 10 * HEARTBEAT_SECONDS
STALE_WITHOUT_HEARTBEAT_SECONDS = 24 * 3600


def owner() -> str:
    """Return this process as ``machine:process id:start time``."""
    return f"{_machine()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def is_dead(owner: str) -> bool | None:
    """Tell whether a process, as `owner` returns it, has ended; None if it ran on another machine."""
    machine, pid, started = owner.rsplit(":", 2)
    if machine != _machine():
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(pid))
        # The process id may have been reused since. The kernel's clock is not exact.
        reused = abs(process.create_time() - float(started)) > 5
        return reused or process.status() == psutil.STATUS_ZOMBIE
    return True


def send_heartbeats(client: MlflowClient, run_id: str, ended: Event) -> None:
    """Write a run's heartbeat until ``ended`` is set; intended to run in a background thread."""
    while not ended.wait(HEARTBEAT_SECONDS):
        with suppress(MlflowException):
            client.set_tag(run_id, HEARTBEAT, str(time.time()))


def is_stale(run: Run, now: float | None = None) -> bool:
    """Tell whether the process that made a run has exited.

    A process on this machine is looked up. A process on another machine or container is considered dead
    after ten minutes without a heartbeat, or after a day if its run never had one.

    Parameters
    ----------
    run : Run
        With the tag ``owner``.
    now : float, optional
        Seconds since the epoch.
    """
    dead = is_dead(run.data.tags[OWNER])
    if dead is not None:
        return dead
    heartbeat = run.data.tags.get(HEARTBEAT)
    last = float(heartbeat) if heartbeat else run.info.start_time / 1000
    limit = STALE_AFTER_SECONDS if heartbeat else STALE_WITHOUT_HEARTBEAT_SECONDS
    return (now or time.time()) - last > limit


def terminate_stale_runs(client: MlflowClient, experiment_id: str) -> list[str]:
    """End the runs of dead processes as ``KILLED``, with everything below them.

    Returns
    -------
    list of str
        The ids of the top-level runs that were ended.
    """
    running = search_runs(client, experiment_id, f"attributes.status = 'RUNNING' and tags.{OWNER} != ''")
    stale = [run.info.run_id for run in running if is_stale(run)]
    for run_id in stale:
        terminate_run(client, experiment_id, run_id, "KILLED")
    return stale


def terminate_run(client: MlflowClient, experiment_id: str, run_id: str, status: str) -> None:
    """End a run and the runs below it that are still running, from the bottom up."""
    # A finished fold has no running child: it ends after its children.
    query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{run_id}'"
    for child in search_runs(client, experiment_id, query):
        terminate_run(client, experiment_id, child.info.run_id, status)
    client.set_terminated(run_id, status)


def search_runs(client: MlflowClient, experiment_id: str, query: str) -> list[Run]:
    """Return all runs that match a query, page by page."""
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment_id], query, max_results=1000, page_token=token)
        runs += page
        if not (token := page.token):
            return runs


def _machine() -> str:
    # Containers on one machine share its boot id and differ in their names.
    with suppress(OSError):
        return f"{platform.node()}-{Path('/proc/sys/kernel/random/boot_id').read_text()[:8]}"
    return platform.node()
