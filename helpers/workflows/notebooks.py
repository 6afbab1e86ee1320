"""Run the notebooks headlessly, one after the other, into a folder of executed copies."""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import papermill
from papermill.exceptions import PapermillExecutionError

from helpers.config import PRODUCTION_MODEL, ROOT, registered_name
from helpers.errors import NotebookError
from helpers.registry import production_version
from helpers.tracking import Store, terminate_stale_runs
from helpers.training import ALGORITHMS

NOTEBOOKS = ROOT / "notebooks"
OUTPUTS = ROOT / "outputs"
# Papermill's minute is too little for several kernels that start at once on few cores.
SECONDS_TO_START = 300


@dataclass(frozen=True)
class NotebookStep:
    """One notebook to run: its file, what its executed copy is called, and its parameters."""

    notebook: str
    name: str
    parameters: dict = field(default_factory=dict)


def notebook_steps(
    models: list[str] | None = None,
    data: str | None = None,
    out: Path = OUTPUTS,
    settings: Mapping[str, object] | None = None,
) -> list[NotebookStep]:
    """Return all notebooks in order, with 03 once per algorithm.

    Parameters
    ----------
    models : list of str, optional
        Algorithms to train; None for all.
    data : str, optional
        A CSV of customers; None for what each notebook finds by itself.
    out : Path
        Folder that the scores go to.
    settings : mapping, optional
        Further parameters of 03: ``missed_cost``, ``wasted_cost``.
    """
    given = _data_parameter(data)
    return [
        NotebookStep("01_eda", "01_eda", given),
        NotebookStep("02_preprocess", "02_preprocess", given),
        *training_steps(models, data, settings),
        NotebookStep("04_registry", "04_registry", given),
        # These two find the table that the production model was trained on, another one if none was promoted.
        NotebookStep("05_score", "05_score", {"out": str(out.resolve() / "scores.csv")}),
        NotebookStep("06_monitor", "06_monitor"),
    ]


def training_steps(
    models: list[str] | None = None, data: str | None = None, settings: Mapping[str, object] | None = None
) -> list[NotebookStep]:
    """Return notebook 03 once per algorithm; see `notebook_steps`. ``settings`` may have a ``grid``, too."""
    return [
        NotebookStep(
            "03_train", f"03_train-{name}", {**_data_parameter(data), **(settings or {}), "model": name}
        )
        for name in models or ALGORITHMS
    ]


def _data_parameter(data: str | None) -> dict[str, str]:
    return {"data": str(Path(data).resolve())} if data else {}


def run_notebooks(todo: list[NotebookStep], out: Path, store: Store) -> str:
    """Execute every step and attach its executed notebook to the MLflow runs it made.

    A notebook that makes no run is attached to the next one's.

    Parameters
    ----------
    todo : list of Step
    out : Path
        Folder of the executed copies; made if missing.
    store : Store

    Returns
    -------
    str
        The series' id: the tag ``series`` of every run that was made.

    Raises
    ------
    NotebookError
        From the first notebook that fails.
    """
    out.mkdir(parents=True, exist_ok=True)
    series, waiting = uuid.uuid4().hex[:12], []
    for number, step in enumerate(todo, 1):
        print(f"[{number}/{len(todo)}] {step.name} ...", end=" ", flush=True)
        began = time.monotonic()
        copy = out / f"{step.name}.ipynb"
        with _tagging({"series": series, "notebook": step.name}):
            _execute(step, copy, store)
        print(f"{time.monotonic() - began:.1f} s", flush=True)
        waiting.append(copy)
        if made := _runs(store, series, step.name):
            for found in made:
                for path in waiting:
                    store.client.log_artifact(found.info.run_id, str(path), "notebook")
            waiting = []
    return series


@contextmanager
def _tagging(tags: dict[str, str]) -> Iterator[None]:
    """Let MLflow put tags on every run that the notebook's kernel makes, and on none that comes later."""
    before = os.environ.get("MLFLOW_RUN_CONTEXT")
    os.environ["MLFLOW_RUN_CONTEXT"] = json.dumps(tags)
    try:
        yield
    finally:
        os.environ.pop("MLFLOW_RUN_CONTEXT")
        if before is not None:
            os.environ["MLFLOW_RUN_CONTEXT"] = before


def _execute(step: NotebookStep, copy: Path, store: Store) -> None:
    try:
        papermill.execute_notebook(
            NOTEBOOKS / f"{step.notebook}.ipynb",
            copy,
            parameters=step.parameters,
            cwd=ROOT,
            progress_bar=False,
            start_timeout=SECONDS_TO_START,
            stderr_file=sys.stderr if sys.stderr.isatty() else None,
            # A cell's error is in the executed copy; ipykernel would log it, too, and warn about its sockets.
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
        )
    except PapermillExecutionError as error:
        raise NotebookError(
            f"{step.name} failed in cell {error.cell_index}: {error.ename}: {error.evalue}\n"
            f"The executed copy, with the traceback: {copy}"
        ) from error
    except RuntimeError as error:  # nbclient's DeadKernelError, or a kernel that did not start
        terminate_stale_runs(store.client, store.experiment_id)  # what the dead kernel left running
        raise NotebookError(
            f"{step.name} failed: {error}. Was there enough memory?\nThe copy up to there: {copy}"
        ) from error


def summarize(store: Store, series: str) -> pd.DataFrame:
    """Return one row per algorithm of a series: scores, registered version, and who is live."""
    live = production_version(store.client)
    rows = []
    for made in _runs(store, series):
        if made.data.tags["level"] != "model":
            continue
        found = store.client.search_model_versions(f"run_id='{made.info.run_id}'")
        own = [v for v in found if v.name == registered_name(made.data.tags["algorithm"])]
        won = live is not None and live.run_id == made.info.run_id
        rows.append(
            {
                "algorithm": made.data.tags["algorithm"],
                "CV F1": made.data.metrics["cv_val_f1_mean"],
                "hold-out F1": made.data.metrics["test_f1"],
                "accuracy": made.data.metrics["test_accuracy"],
                "ROC AUC": made.data.metrics["test_roc_auc"],
                "version": f"{own[0].name} v{own[0].version}",
                "won": f"{PRODUCTION_MODEL} v{live.version}" if won else "",
            }
        )
    columns = ["algorithm", "CV F1", "hold-out F1", "accuracy", "ROC AUC", "version", "won"]
    return pd.DataFrame(rows, columns=columns).sort_values("CV F1", ascending=False, ignore_index=True)


def _runs(store: Store, series: str, notebook: str | None = None) -> list:
    query = f"tags.series = '{series}' and tags.level != 'combination' and tags.level != 'fold'"
    if notebook:
        query += f" and tags.notebook = '{notebook}'"
    return store.client.search_runs([store.experiment_id], query, order_by=["attributes.start_time"])
