"""Run the notebooks headlessly, in order, into a folder of executed copies."""

import json
import os
import sys
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import papermill
from mlflow.entities import Run
from papermill.exceptions import PapermillExecutionError

from helpers.config import OUTPUTS, ROOT
from helpers.data import DataSettings, load, split
from helpers.errors import NotebookError
from helpers.files import check_folder, check_output
from helpers.masking import mask_notebook
from helpers.monitoring import MonitorSettings
from helpers.registry import (
    PromotionSettings,
    check_production_table,
    production_version,
    read_promotion,
)
from helpers.scoring import ScoreSettings
from helpers.settings import Settings
from helpers.table import chosen_table, current_table
from helpers.tracking import EDIT, Store, check_rights, terminate_stale_runs
from helpers.training import TrainSettings, algorithms, check_table_size, chosen_algorithms, make_grid

NOTEBOOKS = ROOT / "notebooks"
# Papermill's default, one minute, is too short when several kernels start at once on few cores.
SECONDS_TO_START = 300
SETTINGS: dict[str, type[Settings]] = {
    "01_eda": DataSettings,
    "02_preprocess": DataSettings,
    "03_train": TrainSettings,
    "04_registry": PromotionSettings,
    "05_score": ScoreSettings,
    "06_monitor": MonitorSettings,
}


@dataclass(frozen=True)
class NotebookStep:
    """One notebook to run: its file, the name of its executed copy, and its parameters."""

    notebook: str
    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)


def notebook_steps(
    models: list[str] | None = None,
    data: str | None = None,
    out: Path = OUTPUTS,
    settings: Mapping[str, object] | None = None,
    batch: str | None = None,
) -> list[NotebookStep]:
    """Return all notebooks in order, with 03 once per algorithm.

    Parameters
    ----------
    models : list of str, optional
        Algorithms to train; none for all.
    data : str, optional
        A CSV of customers; None for each notebook's default.
    out : Path
        Folder for the scores.
    settings : mapping, optional
        Further parameters of 03: ``missed_cost``, ``wasted_cost``.
    batch : str, optional
        A CSV of new customers for 05 and 06; None for the description's sample.
    """
    parameters = _table_parameters(data)
    new = {
        **chosen_table(),
        **chosen_algorithms(),
        **({"batch": str(Path(batch).resolve())} if batch else {}),
    }
    return [
        NotebookStep("01_eda", "01_eda", parameters),
        NotebookStep("02_preprocess", "02_preprocess", parameters),
        *training_steps(models, data, settings),
        NotebookStep("04_registry", "04_registry", {**parameters, **chosen_algorithms()}),
        # No data parameter: these two need the table that the production model was trained on, and find it.
        NotebookStep("05_score", "05_score", {**new, "out": str(out.resolve() / "scores.csv")}),
        NotebookStep("06_monitor", "06_monitor", new),
    ]


def training_steps(
    models: list[str] | None = None, data: str | None = None, settings: Mapping[str, object] | None = None
) -> list[NotebookStep]:
    """Return notebook 03 once per algorithm; see `notebook_steps`. ``settings`` may include a ``grid``."""
    parameters = {**_table_parameters(data), **chosen_algorithms(), **(settings or {})}
    return [
        NotebookStep("03_train", f"03_train-{name}", {**parameters, "model": name})
        for name in models or algorithms()
    ]


def _table_parameters(data: str | None) -> dict[str, object]:
    return {**chosen_table(), **({"data": str(Path(data).resolve())} if data else {})}


def check_steps(steps: list[NotebookStep], out: Path) -> None:
    """Check every step before the first one runs: its settings and table, and where it writes its copy.

    Raises
    ------
    SettingError, DataError
        From the first step that cannot run.
    """
    check_folder(out)
    tables: dict[str | Path | None, pd.DataFrame] = {}
    for step in steps:
        settings = SETTINGS[step.notebook].check(step.parameters)
        check_output(out / f"{step.name}.ipynb", _is_executed_copy)
        if isinstance(settings, DataSettings | TrainSettings):
            if settings.data not in tables:
                tables[settings.data] = _load_silently(settings.data)
            if isinstance(settings, TrainSettings):
                grid = make_grid(settings.model, settings.grid)
                check_table_size(settings.model, grid, split(tables[settings.data]).y_train)


def _load_silently(data: str | Path | None) -> pd.DataFrame:
    with warnings.catch_warnings():  # the notebook will show them
        warnings.simplefilter("ignore")
        return load(data)


def _changed_models(steps: list[NotebookStep]) -> dict[str, str]:
    """Return the registered models that steps change, with the right that it takes."""
    described = current_table()
    algorithms = [str(step.parameters["model"]) for step in steps if "model" in step.parameters]
    names = list(map(described.registered_name, algorithms))
    if any(step.notebook == "04_registry" for step in steps):
        names.append(described.name)
    return dict.fromkeys(names, EDIT)


def _is_executed_copy(path: Path) -> bool:
    """Tell whether papermill wrote a file, complete or not: it puts its name on every cell."""
    return b'"papermill": {' in path.read_bytes()


def run_notebooks(steps: list[NotebookStep], out: Path, store: Store) -> str:
    """Execute every step, and attach the executed notebook to the MLflow runs that it created.

    A notebook that creates no run is attached to the runs of the next one that does.

    Parameters
    ----------
    steps : list of NotebookStep
        Checked by `check_steps`, which reads their tables: once, before there is a store.
    out : Path
        Folder of the executed copies; created if missing.
    store : Store

    Returns
    -------
    str
        The workflow's id: the tag ``workflow`` of every run that was created.

    Raises
    ------
    StoreError
        If the user may not do what the steps do.
    RegistryError
        If the steps would train for another table than the version in production was trained for.
    NotebookError
        From the first notebook that fails; or if nothing is in production after 04 and others follow.
    """
    changed = _changed_models(steps)
    check_rights(store.client, changed)
    if changed:
        check_production_table(store.client)
    out.mkdir(parents=True, exist_ok=True)
    workflow, pending = uuid.uuid4().hex[:12], []
    for number, step in enumerate(steps, 1):
        print(f"[{number}/{len(steps)}] {step.name} ...", end=" ", flush=True)
        start = time.monotonic()
        copy = out / f"{step.name}.ipynb"
        with _run_context({"workflow": workflow, "notebook": step.name}):
            _execute(step, copy, store)
        print(f"{time.monotonic() - start:.1f} s", flush=True)
        pending.append(copy)
        if runs := _workflow_runs(store, workflow, step.name):
            for run in runs:
                for path in pending:
                    store.client.log_artifact(run.info.run_id, str(path), "notebook")
            pending = []
        if step.notebook == "04_registry" and number < len(steps):
            _require_production(store, workflow)
    return workflow


def _require_production(store: Store, workflow: str) -> None:
    """Say why nothing is in production, before a notebook that needs it says that nothing is."""
    if production_version(store.client) is None:
        (run,) = _workflow_runs(store, workflow, "04_registry")
        raise NotebookError(
            f"nothing is in production, and the next notebooks need it. {read_promotion(run).summary()}"
        )


@contextmanager
def _run_context(tags: dict[str, str]) -> Iterator[None]:
    """Make MLflow put these tags on every run created meanwhile, by this process or a notebook's kernel."""
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
            f"Executed copy with the traceback: {copy}"
        ) from None
    except RuntimeError as error:  # nbclient's DeadKernelError, or a kernel that did not start
        terminate_stale_runs(store.client, store.experiment_id)  # those of the dead kernel
        raise NotebookError(
            f"{step.name} failed: {error}. Was there enough memory?\nPartly executed copy: {copy}"
        ) from None
    finally:
        if copy.exists():
            mask_notebook(copy)


def summarize(store: Store, workflow: str) -> pd.DataFrame:
    """Return a workflow's algorithms with their scores, registered version, and which is in production."""
    production = production_version(store.client)
    rows = []
    for run in _workflow_runs(store, workflow):
        if run.data.tags["level"] != "model":
            continue
        algorithm, metrics = run.data.tags["algorithm"], run.data.metrics
        versions = store.client.search_model_versions(f"run_id='{run.info.run_id}'")
        own = next(v for v in versions if v.name == current_table().registered_name(algorithm))
        won = production and production.run_id == run.info.run_id
        rows.append(
            {
                "algorithm": algorithm,
                "CV F1": metrics["cv_val_f1_mean"],
                "hold-out F1": metrics["test_f1"],
                "accuracy": metrics["test_accuracy"],
                "ROC AUC": metrics["test_roc_auc"],
                "version": f"{own.name} v{own.version}",
                "won": f"{current_table().name} v{production.version}" if production and won else "",
            }
        )
    columns = ["algorithm", "CV F1", "hold-out F1", "accuracy", "ROC AUC", "version", "won"]
    return pd.DataFrame(rows, columns=columns).sort_values("CV F1", ascending=False, ignore_index=True)


def _workflow_runs(store: Store, workflow: str, notebook: str | None = None) -> list[Run]:
    """Return the top-level runs of a workflow, or of one of its notebooks."""
    query = f"tags.workflow = '{workflow}' and tags.level != 'combination' and tags.level != 'fold'"
    if notebook:
        query += f" and tags.notebook = '{notebook}'"
    return store.client.search_runs([store.experiment_id], query, order_by=["attributes.start_time"])
