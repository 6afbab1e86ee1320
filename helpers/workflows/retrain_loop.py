"""From new customers to a decision and, on drift, a new production model, once or continuously. Idempotent.

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
from helpers.data import data_path
from helpers.errors import DataError, ExitCode, ProjectError
from helpers.files import sha256
from helpers.registry import production_version
from helpers.tracking import Store, connect, search_runs, terminate_stale_runs
from helpers.training import algorithms
from helpers.workflows.retraining import LEVEL, process_batch
from helpers.workflows.retraining_report import TITLES, TOO_FEW_OUTCOMES

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".xlsx", ".xlsm")  # of tables in a folder
# A message is enough for these; any other error is a fault of the program and shows its traceback.
EXPECTED_ERRORS = (ProjectError, MlflowException, OSError)


def list_batches(path: str) -> tuple[list[Path], bool]:
    """Return a table, or a folder's tables, oldest first; and whether it is a folder.

    Hidden files are ignored: copy a table into the folder under a hidden name, then rename it.

    Raises
    ------
    DataError
        If there is no such file or folder.
    """
    for folder in (Path.cwd() / path, ROOT / path):
        if folder.is_dir():
            batches = [file for file in folder.iterdir() if file.name.lower().endswith(SUFFIXES)]
            batches = [file for file in batches if not file.name.startswith((".", "~$"))]  # ~$: open in Excel
            return sorted(batches, key=lambda file: (file.stat().st_mtime, file.name)), True
    return [data_path(path)], False


def previous_run(store: Store, batch: Path, version: str | None) -> Run | None:
    """Return the newest run that processed this very table to the end, or None.

    Parameters
    ----------
    store : Store
    batch : Path
    version : str or None
        Only runs that began or ended with this version in production; None for all.
    """
    query = (
        f"attributes.status = 'FINISHED' and tags.level = '{LEVEL}' and tags.batch_sha256 = '{sha256(batch)}'"
    )
    for run in search_runs(store.client, store.experiment_id, query):
        versions = run.data.tags.get("production_version"), run.data.tags.get("production_version_after")
        if version is None or version in versions:
            return run
    return None


def process_all(path: str, data: str | None, models: list[str] | None, out: Path) -> ExitCode:
    """Process a table of new customers, or every table in a folder.

    Parameters
    ----------
    path : str
        A CSV, or a folder of them.
    data, models, out
        See `process_batch`; ``models`` None for all algorithms.

    Returns
    -------
    ExitCode
        ``DONE``, or ``LABELS_MISSING``. For a folder, the highest code of any table; ``FAILED`` for one that
        cannot be used.

    Raises
    ------
    ProjectError, MlflowException, OSError
        An error that the next table would meet, too. For a single table, any error.
    """
    batches, is_folder = list_batches(path)
    if not batches:
        print(f"no CSV in {path}: nothing to do")
    store, code = connect(), ExitCode.DONE
    try:
        for batch in batches:
            try:
                # A single file is processed again when another version is in production. A folder's files are
                # not: their drift may be long past.
                batch_code = _process_once(
                    store, batch, data, models or list(algorithms()), out, not is_folder
                )
            except Exception as error:
                if not is_folder or _affects_all(error):
                    raise
                _print_error(error, batch.name)  # do not let one bad table block the rest
                batch_code = ExitCode.FAILED
            code = max(code, batch_code)
    finally:
        with suppress(MlflowException):  # the store may be what failed
            # An interrupted notebook leaves runs behind whose kernel has exited.
            terminate_stale_runs(store.client, store.experiment_id)
    return code


def process_forever(
    path: str, data: str | None, models: list[str] | None, out: Path, seconds: float
) -> NoReturn:
    """Process new tables every so many seconds; an error is printed and does not end the loop."""
    while True:
        try:
            process_all(path, data, models, out)
        except Exception as error:
            _print_error(error)
        time.sleep(seconds)


def _process_once(
    store: Store, batch: Path, data: str | None, models: list[str], out: Path, again_for_new_version: bool
) -> ExitCode:
    """Process one table unless a previous run did."""
    production = production_version(store.client)
    version = str(production.version) if production else ""
    previous = previous_run(store, batch, version if again_for_new_version else None)
    if previous is None:
        outcome = process_batch(store, batch, data, models, out)
        print(f"\n{outcome.markdown()}", flush=True)
        return ExitCode.LABELS_MISSING if outcome.result == TOO_FEW_OUTCOMES else ExitCode.DONE
    tags = previous.data.tags
    previous_version, result = tags.get("production_version", "unknown"), tags["outcome"]
    print(
        f"{batch.name}: already processed (production version {previous_version}): {TITLES[result]}",
        flush=True,
    )
    # Drift that was not acted on remains an alarm until another version is in production.
    unresolved = result == TOO_FEW_OUTCOMES and previous_version == version
    return ExitCode.LABELS_MISSING if unresolved else ExitCode.DONE


def _affects_all(error: Exception) -> bool:
    """Tell whether every other table would meet the same error."""
    return isinstance(error, EXPECTED_ERRORS) and not isinstance(error, DataError)


def _print_error(error: Exception, batch: str | None = None) -> None:
    print(f"Error in {batch}: {error}" if batch else f"Error: {error}", file=sys.stderr, flush=True)
    if not isinstance(error, EXPECTED_ERRORS):
        traceback.print_exception(error)
