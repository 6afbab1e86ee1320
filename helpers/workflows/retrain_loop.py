"""From new customers to a decision and, on drift, to a new production model; safe to repeat.

monitor -> decide -> train all algorithms on old and new customers -> gates -> promote, or keep the old model.
"""

import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from helpers.config import ROOT
from helpers.data import data_path, table_name
from helpers.errors import DataError, ExitCode, ProjectError, RetrainingInProgress
from helpers.files import sha256
from helpers.monitoring import run_monitoring
from helpers.registry import production_version
from helpers.tracking import Store, connect, search_runs, single_run, terminate_stale_runs
from helpers.training import ALGORITHMS
from helpers.workflows.retraining import retrain_if_needed
from helpers.workflows.retraining_report import TITLES, TOO_FEW_OUTCOMES, RetrainingOutcome, log_outcome

LEVEL = "retrain"


def list_batches(given: str) -> tuple[list[Path], bool]:
    """Return the CSV, or a folder's CSVs, oldest first, and whether it is a folder.

    Hidden files are not looked at: copy a table into the folder under such a name, then rename it.

    Raises
    ------
    DataError
        If there is no such file or folder.
    """
    for folder in (Path.cwd() / given, ROOT / given):
        if folder.is_dir():
            found = [path for path in folder.glob("*.csv") if not path.name.startswith(".")]
            return sorted(found, key=lambda path: (path.stat().st_mtime, path.name)), True
    return [data_path(given)], False


def previous_run(store: Store, batch: Path, live_version: str | None) -> Run | None:
    """Return the run that finished with this very batch, or None.

    Parameters
    ----------
    store : Store
    batch : Path
    live_version : str or None
        Only runs that found this version live, or left it live; None for all.
    """
    query = (
        f"attributes.status = 'FINISHED' and tags.level = '{LEVEL}' and tags.batch_sha256 = '{sha256(batch)}'"
    )
    for done in search_runs(store.client, store.experiment_id, query):  # the newest first
        tags = done.data.tags
        if live_version in (None, tags["live_version"], tags["live_after"]):
            return done
    return None


def process_batch(
    store: Store, batch: Path, data: str | None, models: list[str], out: Path
) -> RetrainingOutcome:
    """Look at a batch, retrain if that is the decision, and log it all as a run of ``level=retrain``.

    Parameters
    ----------
    store : Store
    batch : Path
    data : str or None
        The CSV that the live version was trained on, if it is neither in ``out`` nor where it was.
    models : list of str
        Algorithms to train.
    out : Path
        Folder for combined tables, reports and executed notebooks.

    Raises
    ------
    Busy
        If another retraining is going on; nothing was done then.
    DataError, RegistryError, NotebookError
        See `monitoring.run_monitoring` and `series.run_notebooks`.
    """
    _alone(store)
    fingerprint = sha256(batch)
    with single_run(store, LEVEL, {"batch": batch.name, "batch_sha256": fingerprint}) as run_id:
        _alone(store, run_id)
        seen = run_monitoring(store, batch, _reference(store, out) or data)
        outcome = retrain_if_needed(store, seen, models, out)
        log_outcome(store, run_id, outcome)
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{batch.stem}-{fingerprint[:12]}-v{seen.live.version}.md").write_text(outcome.markdown())
    return outcome


def _reference(store: Store, out: Path) -> str | None:
    """Return the combined table that the live version was trained on, if ``out`` has it."""
    live = production_version(store.client)
    table = out / table_name(live.tags.get("data_sha256", "")) if live else None
    return str(table) if table and table.is_file() else None


def _alone(store: Store, own: str | None = None) -> None:
    """Raise Busy if another retraining is going on; of two that start at once, both give way."""
    terminate_stale_runs(store.client, store.experiment_id)
    query = f"attributes.status = 'RUNNING' and tags.level = '{LEVEL}'"
    others = [r for r in search_runs(store.client, store.experiment_id, query) if r.info.run_id != own]
    if others:
        raise RetrainingInProgress(
            f"another retraining is going on: run {others[0].info.run_id}. Nothing was done."
        )


def process_all(given: str, data: str | None, models: list[str] | None, out: Path) -> ExitCode:
    """Process a table of new customers, or every one of a folder, and tell how each ended.

    Parameters
    ----------
    given : str
        A CSV, or a folder of them.
    data, models, out
        See `process_batch`; ``models`` None for all algorithms.

    Returns
    -------
    ExitCode
        ``DONE`` or ``LABELS_MISSING``; of a folder the highest code, ``FAILED`` for an unusable table.

    Raises
    ------
    ProjectError, MlflowException, OSError
        What the next table would meet, too. A table at fault raises if it is the only one.
    """
    batches, is_folder = list_batches(given)
    store, code = connect(), ExitCode.DONE
    if not batches:
        print(f"no CSV in {given}: nothing to do")
    try:
        for path in batches:
            try:
                # A single file is processed again when another model is in production; a folder's files are
                # not: what was drift then may be long past.
                code = max(
                    code, _process_once(store, path, not is_folder, data, models or list(ALGORITHMS), out)
                )
            except Exception as error:
                if not is_folder or _is_general(error):
                    raise
                print(f"{path.name} failed: {error}", file=sys.stderr)
                if not isinstance(error, DataError):  # a fault of the program
                    traceback.print_exc()
                code = max(code, ExitCode.FAILED)
    finally:
        with suppress(MlflowException):  # the store may be what failed
            # What an interrupted notebook left running: its kernel is gone.
            terminate_stale_runs(store.client, store.experiment_id)
    return code


def process_forever(
    given: str, data: str | None, models: list[str] | None, out: Path, seconds: float
) -> NoReturn:
    """Process what is new, again and again; an error is printed and does not end the loop."""
    while True:
        try:
            process_all(given, data, models, out)
        except (ProjectError, MlflowException, OSError) as error:
            print(f"Error: {error}", file=sys.stderr, flush=True)
        time.sleep(seconds)


def _is_general(error: Exception) -> bool:
    """Tell whether the next table would meet the same error."""
    return isinstance(error, (ProjectError, MlflowException, OSError)) and not isinstance(error, DataError)


def _process_once(
    store: Store, path: Path, again: bool, data: str | None, models: list[str], out: Path
) -> ExitCode:
    """Process one table, unless that was done before."""
    production = production_version(store.client)
    version = str(production.version) if production else ""
    previous = previous_run(store, path, version if again else None)
    if previous is None:
        outcome = process_batch(store, path, data, models, out)
        print(f"\n{outcome.markdown()}", flush=True)
        return ExitCode.LABELS_MISSING if outcome.result == TOO_FEW_OUTCOMES else ExitCode.DONE
    tags = previous.data.tags
    then, ended = tags["live_version"], TITLES[tags["outcome"]]
    print(f"{path.name}: already processed (production version {then}): {ended}")
    # Drift that nothing was done about stays an alarm until another model is in production.
    unresolved = tags["outcome"] == TOO_FEW_OUTCOMES and then == version
    return ExitCode.LABELS_MISSING if unresolved else ExitCode.DONE
