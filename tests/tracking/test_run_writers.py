import json
import math
import multiprocessing
import sqlite3
from contextlib import closing

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url

from helpers.tracking.run_writers import ChildRun, ClientWriter, DatabaseWriter, make_writer
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import connect
from tests.support import stores

LEAVES = [
    ChildRun(
        f"max_depth={depth}",
        {"level": "combination", "mlflow.user": "somebody", "mlflow.parentRunId": "f" * 32},
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
        found = {table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")] for table in tables}
    names = {run["run_uuid"]: run["name"] for run in found["runs"]}
    for run in found["runs"]:
        assert run["end_time"] >= run["start_time"] > 0
        assert run["artifact_uri"].startswith(f"file://{stores.TEMPORARY}/")
        run.update(end_time=0, artifact_uri=run["artifact_uri"].rpartition(run["run_uuid"])[2])
    for table in tables:
        for row in found[table]:
            row |= {"run_uuid": names[row["run_uuid"]]} if row.get("run_uuid") else {}
    return {table: sorted(json.dumps(row) for row in found[table]) for table in tables}


def database_writer(store) -> DatabaseWriter:
    writer = make_writer(store)
    assert isinstance(writer, DatabaseWriter)
    return writer


def written(how) -> dict[str, list]:
    with stores.in_use(stores.empty()) as uri:
        how(connect()).write(LEAVES)
        return rows(uri)


def test_database_rows_are_those_of_the_client():
    ours, clients = written(database_writer), written(ClientWriter)
    assert len(clients["runs"]) == len(LEAVES)
    assert len(clients["latest_metrics"]) == 2 * len(LEAVES)
    for table in clients:
        if table not in ("experiments", "experiment_tags"):  # made by connect, with a time
            assert ours[table] == clients[table], table


def test_client_reads_back_what_was_inserted(store):
    database_writer(store).write(LEAVES)
    (run,) = search_runs(store.client, store.experiment_id, "params.max_depth = '1' and metrics.val_f1 > 0.2")
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "max_depth=1"
    assert run.data.metrics == {"val_f1": 0.25, "odd": 0.5}
    store.client.set_tag(run.info.run_id, "note", "can be changed like any other run")
    store.client.delete_run(run.info.run_id)


@pytest.mark.parametrize("how", [database_writer, ClientWriter])
def test_what_mlflow_refuses_is_refused_and_nothing_is_half_written(store, how):
    bad = ChildRun("bad", {}, {"max_depth": 1}, {"no/../key": 1.0})
    with pytest.raises(MlflowException, match="no/"):
        how(store).write([bad])
    assert not search_runs(store.client, store.experiment_id, "")


def test_one_bad_leaf_leaves_the_whole_batch_out(store):
    with pytest.raises(MlflowException):
        database_writer(store).write([*LEAVES, ChildRun("bad", {}, {"": 1}, {})])
    assert not search_runs(store.client, store.experiment_id, "")


def test_writer_follows_the_store(store):
    assert isinstance(make_writer(store), DatabaseWriter)


def _write_many(uri: str, number: int) -> None:
    with stores.in_use(uri):
        target = make_writer(connect())
        for batch in range(20):
            target.write(
                [ChildRun(f"{number}-{batch}-{leaf}", {}, {}, {"val_f1": 0.5}) for leaf in range(20)]
            )


def test_processes_that_write_at_once_lose_nothing():
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
