"""A service is killed during a training while another client writes: nothing is lost, errors are clear."""

import itertools
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from helpers.config import ROOT
from helpers.registry import list_versions, load_version
from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import Store
from tests.support.servers import wait
from tests.support.trainings import training

MODEL, GRID = "tree", '{"max_depth": [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}'


def train(folder: Path) -> subprocess.Popen:
    """Start a training that takes a few seconds."""
    command = training(folder / f"{time.time()}.ipynb", MODEL, grid=GRID)
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


class Writer:
    """A client that keeps writing values and files and remembers which were acknowledged."""

    def __init__(self, client: MlflowClient, run_id: str):
        self.client, self.run_id = client, run_id
        self.values, self.files, self.stop = [], [], Event()

    def write(self) -> None:
        for number in itertools.count():
            if self.stop.is_set():
                return
            with suppress(MlflowException, OSError):
                self.client.log_metric(self.run_id, f"m{number}", number)
                self.values.append(number)
                self.client.log_text(self.run_id, str(number), f"{number}.txt")
                self.files.append(number)

    def check(self) -> None:
        metrics = self.client.get_run(self.run_id).data.metrics
        assert {f"m{number}": number for number in self.values}.items() <= metrics.items()
        folder = Path(self.client.download_artifacts(self.run_id, ""))
        assert {str(number) for number in self.files} <= {file.read_text() for file in folder.iterdir()}


def check_kill(store: Store, folder: Path, kill: Callable[[], None], restart: Callable[[], None]) -> None:
    """Kill a service during a training: everything acknowledged is there, and the training ends or says why.

    ``restart`` returns when the service is back.
    """
    client, before = store.client, len(list_versions(store.client, f"churn-{MODEL}"))
    run = client.create_run(store.experiment_id)
    writer, finished = Writer(client, run.info.run_id), set()
    began = time.time() * 1000
    process = train(folder)

    def under_way() -> bool:
        assert process.poll() is None, process.stderr.read()
        query = f"tags.level = 'combination' and status = 'FINISHED' and attributes.start_time > {began:.0f}"
        finished.update(run.info.run_id for run in search_runs(client, store.experiment_id, query))
        return bool(finished)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(writer.write)
        try:
            wait(under_way, seconds=600)
            kill()
            written = len(writer.files)
            restart()
            code = process.wait(900)
            wait(lambda: len(writer.files) > written + 1)  # it continues unaided
        finally:
            writer.stop.set()
    writing.result()
    client.set_terminated(run.info.run_id)
    writer.check()
    assert {client.get_run(run_id).info.status for run_id in finished} == {"FINISHED"}
    versions = list_versions(client, f"churn-{MODEL}")
    assert len(versions) == before + (1 if code == 0 else 0)
    for version in versions:
        assert load_version(client, version.name, version.version).predict is not None
    if code != 0:
        assert "Error" in process.stderr.read()


def check_recovery(store: Store, folder: Path) -> None:
    """After kills, the next training works and leaves nothing running of those before."""
    process = train(folder)
    assert process.wait(600) == 0, process.stderr.read()
    query = "attributes.status = 'RUNNING'"
    assert not store.client.search_runs([store.experiment_id], query, ViewType.ALL)  # deleted ones, too
