import os
import subprocess
import time
from types import SimpleNamespace

import psutil

from helpers.tracking.stale_runs import (
    HEARTBEAT,
    OWNER,
    STALE_AFTER_SECONDS,
    is_stale,
    owner,
    search_runs,
    terminate_run,
    terminate_stale_runs,
)


def run_with(tags: dict, started: float = 0.0):
    return SimpleNamespace(data=SimpleNamespace(tags=tags), info=SimpleNamespace(start_time=started * 1000))


def test_run_is_stale_if_its_process_on_this_machine_has_exited():
    machine, pid, started = owner().rsplit(":", 2)
    assert not is_stale(run_with({OWNER: owner()}))
    assert is_stale(run_with({OWNER: f"{machine}:{pid}:{float(started) - 1000}"}))  # the id was reused
    assert is_stale(run_with({OWNER: f"{machine}:{2**22 + 1}:{started}"}))


def test_zombie_counts_as_dead():
    child = subprocess.Popen(["true"])
    process = psutil.Process(child.pid)
    machine = owner().rsplit(":", 2)[0]
    tag = f"{machine}:{child.pid}:{process.create_time():.0f}"
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # has ended, and nobody has asked for its code
    assert process.status() == psutil.STATUS_ZOMBIE
    assert is_stale(run_with({OWNER: tag}))
    child.wait()


def test_run_of_another_machine_is_stale_without_a_recent_heartbeat():
    now = time.time()
    elsewhere = {OWNER: "other-machine:1:1"}
    assert not is_stale(run_with({**elsewhere, HEARTBEAT: str(now - STALE_AFTER_SECONDS + 30)}, now))
    assert is_stale(run_with({**elsewhere, HEARTBEAT: str(now - STALE_AFTER_SECONDS - 30)}, now))
    assert not is_stale(run_with(elsewhere, now - 3600))
    assert is_stale(run_with(elsewhere, now - 25 * 3600))


def test_running_runs_of_other_machines_are_left_alone(store):
    tags = {OWNER: "other-machine:1:1", HEARTBEAT: str(time.time()), "level": "model"}
    store.client.create_run(store.experiment_id, tags=tags)
    assert terminate_stale_runs(store.client, store.experiment_id) == []


def test_run_is_terminated_with_all_running_runs_below_it(store):
    parent = None
    for level in ("model", "fold", "combination"):
        tags = {"level": level, **({"mlflow.parentRunId": parent} if parent else {})}
        parent = store.client.create_run(store.experiment_id, tags=tags).info.run_id
    (model,) = search_runs(store.client, store.experiment_id, "tags.level = 'model'")
    terminate_run(store.client, store.experiment_id, model.info.run_id, "FAILED")
    runs = search_runs(store.client, store.experiment_id, "")
    assert [run.info.status for run in runs] == ["FAILED"] * 3


def test_search_returns_every_page(store, monkeypatch):
    for _ in range(5):
        store.client.create_run(store.experiment_id)
    search = store.client.search_runs
    monkeypatch.setattr(
        store.client,
        "search_runs",
        lambda *args, max_results, **kwargs: search(*args, max_results=2, **kwargs),
    )
    assert len({run.info.run_id for run in search_runs(store.client, store.experiment_id, "")}) == 5
