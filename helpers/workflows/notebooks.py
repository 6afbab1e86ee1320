"""Run the notebooks headlessly, one after the other, into a folder of executed copies.

    python -m helpers.workflows.notebooks [--data CSV] [--models knn,tree] [--only 03_train] [--out outputs]

Stops at the first failing notebook with the cell's error; ends with a table of what was trained and who won.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import papermill
from papermill.exceptions import PapermillExecutionError

from helpers.config import PRODUCTION_MODEL, ROOT, registered_name
from helpers.registry import production_version
from helpers.tracking import Store, connect, terminate_stale_runs
from helpers.training import ALGORITHMS, COST_NAMES, algorithm

NOTEBOOKS = ROOT / "notebooks"
OUTPUTS = ROOT / "outputs"
# Papermill's minute is too little for several kernels that start at once on few cores.
SECONDS_TO_START = 300


class NotebookError(RuntimeError):
    """A notebook failed; the message has the cell's error and where the executed copy is."""


@dataclass(frozen=True)
class NotebookStep:
    """One notebook to run: its file, what its executed copy is called, and its parameters."""

    notebook: str
    name: str
    parameters: dict = field(default_factory=dict)


def notebook_steps(
    models: list[str], data: str | None = None, out: Path = OUTPUTS, costs: dict[str, float] | None = None
) -> list[NotebookStep]:
    """Return the series' notebooks in order, with 03 once per algorithm; scores go into ``out``.

    ``costs`` are the training's ``missed_cost`` and ``wasted_cost``, where they are not the defaults.
    """
    given = {"data": str(Path(data).resolve())} if data else {}
    return [
        NotebookStep("01_eda", "01_eda", given),
        NotebookStep("02_preprocess", "02_preprocess", given),
        *(
            NotebookStep("03_train", f"03_train-{name}", {**given, **(costs or {}), "model": name})
            for name in models
        ),
        NotebookStep("04_registry", "04_registry", given),
        # These find by themselves what the live model was trained on: another table, if none was promoted.
        NotebookStep("05_score", "05_score", {"out": str(out.resolve() / "scores.csv")}),
        NotebookStep("06_monitor", "06_monitor"),
    ]


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
            # ipykernel warns at every start that its sockets on loopback are not encrypted.
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
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


def main(arguments: list[str] | None = None) -> int:
    """Run the series from the command line; return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", help="a CSV of customers (default: CHURN_DATA, else the embedded sample)")
    cli.add_argument("--models", default=",".join(ALGORITHMS), help="which algorithms, comma-separated")
    cli.add_argument("--missed-cost", type=float, help="of a churner who is not contacted (default: 5)")
    cli.add_argument("--wasted-cost", type=float, help="of contacting one who would have stayed (default: 1)")
    cli.add_argument("--only", help="one notebook of the series, e.g. 03_train (default: all)")
    cli.add_argument("--out", type=Path, default=OUTPUTS, help="folder of the executed notebooks")
    options = cli.parse_args(arguments)
    models = options.models.split(",")
    try:
        for name in models:
            algorithm(name)
    except ValueError as error:
        cli.error(str(error))
    costs = {name: getattr(options, name) for name in COST_NAMES}
    costs = {name: cost for name, cost in costs.items() if cost is not None}
    every = notebook_steps(models, options.data, options.out, costs)
    todo = [step for step in every if options.only in (None, step.notebook)]
    if not todo:
        cli.error(f"--only {options.only}: no such notebook in the series")
    store = connect()
    try:
        series = run_notebooks(todo, options.out, store)
    except NotebookError as error:
        print(f"failed\n\n{error}", file=sys.stderr)
        return 1
    if len(table := summarize(store, series)):
        print(f"\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    print(f"\nExecuted notebooks and scores: {options.out}\nRuns and models: make ui")
    return 0


if __name__ == "__main__":
    sys.exit(main())
