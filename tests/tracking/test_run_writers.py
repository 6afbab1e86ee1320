import json
import math
import multiprocessing
import sqlite3
import time
from contextlib import closing

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url

from helpers.errors import StoreError
from helpers.tracking.run_writers import ChildRun, ClientWriter, DatabaseWriter, QueuedWriter, make_writer
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from tests.support import stores

RUNS = [
    ChildRun(
        f"max_depth={depth}",
        {"level": "combination", "mlflow.user": "analyst", "mlflow.parentRunId": "f" * 32},
        {"max_depth": depth, "weights": None, "long": "x" * 7000},
        {"val_f1": 0.25 * depth, "odd": value},
    )
    for depth, value in ((1, 0.5), (2, math.nan), (3, math.inf), (4, -math.inf))
]


def rows(uri: str) -> dict[str, list]:
    """Return every row of every table of a store, run ids and times replaced."""
    with closing(sqlite3.connect(make_url(uri).database)) as database:
        database.row_factory = sqlite3.Row
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        content = {
            table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")] for table in tables
        }
    names = {run["run_uuid"]: run["name"] for run in content["runs"]}
    for run in content["runs"]:
        assert run["end_time"] >= run["start_time"] > 0
        assert run["artifact_uri"].startswith(f"file://{stores.TEMPORARY}/")
        run.update(end_time=0, artifact_uri=run["artifact_uri"].rpartition(run["run_uuid"])[2])
    for table in tables:
        for row in content[table]:
            row |= {"run_uuid": names[row["run_uuid"]]} if row.get("run_uuid") else {}
    return {table: sorted(json.dumps(row) for row in content[table]) for table in tables}


def database_writer(store) -> DatabaseWriter:
    writer = make_writer(store)
    assert isinstance(writer, DatabaseWriter)
    return writer


def written(make) -> dict[str, list]:
    with stores.in_use(stores.empty()) as uri:
        make(connect()).write(RUNS)
        return rows(uri)


def test_database_rows_are_those_of_the_client():
    inserted, by_client = written(database_writer), written(ClientWriter)
    assert len(by_client["runs"]) == len(RUNS)
    assert len(by_client["latest_metrics"]) == 2 * len(RUNS)
    for table in by_client:
        if table not in ("experiments", "experiment_tags"):  # created by connect, with a time
            assert inserted[table] == by_client[table], table


def test_client_reads_back_what_was_inserted(store):
    database_writer(store).write(RUNS)
    (run,) = search_runs(store.client, store.experiment_id, "params.max_depth = '1' and metrics.val_f1 > 0.2")
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "max_depth=1"
    assert run.data.metrics == {"val_f1": 0.25, "odd": 0.5}
    store.client.set_tag(run.info.run_id, "note", "can be changed like any other run")
    store.client.delete_run(run.info.run_id)


@pytest.mark.parametrize("make", [database_writer, ClientWriter])
def test_run_that_mlflow_rejects_is_not_written_in_part(store, make):
    bad = ChildRun("bad", {}, {"max_depth": 1}, {"no/../key": 1.0})
    with pytest.raises(MlflowException, match="no/"):
        make(store).write([bad])
    assert not search_runs(store.client, store.experiment_id, "")


def test_one_bad_run_rejects_the_whole_batch(store):
    with pytest.raises(MlflowException):
        database_writer(store).write([*RUNS, ChildRun("bad", {}, {"": 1}, {})])
    assert not search_runs(store.client, store.experiment_id, "")


def test_writer_follows_the_store(store):
    assert isinstance(make_writer(store), DatabaseWriter)


def _write_many(uri: str, number: int) -> None:
    with stores.in_use(uri):
        target = make_writer(connect())
        for batch in range(20):
            target.write([ChildRun(f"{number}-{batch}-{run}", {}, {}, {"val_f1": 0.5}) for run in range(20)])


def test_concurrent_processes_lose_no_run():
    uri = stores.empty()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(uri, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with stores.in_use(uri):
        store = connect()
        assert len({run.info.run_name for run in search_runs(store.client, store.experiment_id, "")}) == 1200


class Recorder:
    """Keeps what it is given; fails at the run named ``bad``."""

    batch_size, n_threads = 7, 2

    def __init__(self):
        self.batches: list[list[str]] = []

    def write(self, runs):
        time.sleep(0.001)
        self.batches.append([run.name for run in runs])
        if "bad" in self.batches[-1]:
            raise ValueError("refused")


def run(name: str) -> ChildRun:
    return ChildRun(name, {}, {}, {})


def test_queue_writes_every_run_once_in_batches():
    recorder, counts = Recorder(), []
    with QueuedWriter(recorder, counts.append) as writer:
        for number in range(1000):
            writer.put(run(str(number)))
        writer.drain()
        assert sum(map(len, recorder.batches)) == 1000
        writer.put(run("last"))
    names = [name for batch in recorder.batches for name in batch]
    assert sorted(names) == sorted([*map(str, range(1000)), "last"])
    assert 1 < max(map(len, recorder.batches)) <= 7
    assert sum(counts) == 1001


def test_queue_raises_the_writers_error_at_the_next_call():
    message = "could not be written to MLflow: refused"
    with pytest.raises(StoreError, match=message), QueuedWriter(Recorder(), int) as writer:
        writer.put(run("bad"))
        writer.drain()
    with pytest.raises(StoreError, match="refused"), QueuedWriter(Recorder(), int) as writer:
        writer.put(run("bad"))


def test_queue_discards_what_is_left_when_its_block_fails():
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt), QueuedWriter(recorder, int) as writer:
        for number in range(250):
            writer.put(run(str(number)))
        raise KeyboardInterrupt
    assert sum(map(len, recorder.batches)) < 250
