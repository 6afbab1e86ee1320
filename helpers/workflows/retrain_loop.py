"""From new customers to a decision and, where it says so, to a new live model: one command, safe to repeat.

    python -m helpers.workflows.retrain_loop --batch CSV_OR_FOLDER [--data CSV] [--every SECONDS]

monitor -> decide -> train all algorithms on old and new customers -> gates -> promote, or keep the live one.

exit codes: 0 done, whatever was decided; 1 failed; 2 wrong usage; 3 drift found, but the batch can't be
trained on; 4 another retraining is going on; 130 interrupted. Of a folder, the highest of its batches'.
"""

import argparse
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from helpers.config import ROOT
from helpers.data import DataError, data_path, sha256, table_name
from helpers.monitoring import run_monitoring
from helpers.registry import RegistryError, production_version
from helpers.tracking import Store, StoreError, connect, search_runs, single_run, terminate_stale_runs
from helpers.training import ALGORITHMS, algorithm
from helpers.workflows.notebooks import OUTPUTS, NotebookError
from helpers.workflows.retraining import retrain_if_needed
from helpers.workflows.retraining_report import TITLES, TOO_FEW_OUTCOMES, RetrainingOutcome, log_outcome

LEVEL = "retrain"
RETRAINED = OUTPUTS / "retrain"
DONE, FAILED, LABELS_MISSING, BUSY, INTERRUPTED = 0, 1, 3, 4, 130

# What ends a call: the next batch would meet the same.
UNUSABLE = (RegistryError, StoreError, NotebookError, MlflowException, OSError)


class RetrainingInProgress(RuntimeError):
    """Another retraining is going on in this experiment."""


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


def _batch(store: Store, path: Path, again: bool, options: argparse.Namespace) -> int:
    """Handle one batch, unless that was done before; return its exit code."""
    live = production_version(store.client)
    version = str(live.version) if live else ""
    done = previous_run(store, path, version if again else None)
    if done is None:
        outcome = process_batch(store, path, options.data, options.models, options.out)
        print(f"\n{outcome.markdown()}", flush=True)
        return LABELS_MISSING if outcome.result == TOO_FEW_OUTCOMES else DONE
    tags = done.data.tags
    seen, ended = tags["live_version"], TITLES[tags["outcome"]]
    print(f"{path.name}: looked at before, with version {seen} live: {ended}")
    # Drift that nothing was done about stays an alarm until another model is live.
    return LABELS_MISSING if tags["outcome"] == TOO_FEW_OUTCOMES and seen == version else DONE


def process_all(options: argparse.Namespace) -> int:
    """Handle what there is; return the exit code."""
    code, store = DONE, None
    try:
        store, (found, is_folder) = connect(), list_batches(options.batch)
        if not found:
            print(f"no CSV in {options.batch}: nothing to do")
        for path in found:
            try:
                # A file that is asked for is looked at again when another model is live; a folder's are not:
                # what was drift then may be long past.
                code = max(code, _batch(store, path, not is_folder, options))
            except DataError as error:
                print(error, file=sys.stderr)
                code = max(code, FAILED)
            except (RetrainingInProgress, *UNUSABLE):
                raise
            except Exception:  # the batches behind it are not to wait for this one for ever
                print(f"{path.name} failed", file=sys.stderr)
                traceback.print_exc()
                code = max(code, FAILED)
    except RetrainingInProgress as error:
        print(error)
        return BUSY
    except (DataError, *UNUSABLE) as error:
        print(f"failed\n\n{error}", file=sys.stderr)
        return FAILED
    finally:
        if store:
            with suppress(MlflowException):  # the store may be what failed
                terminate_stale_runs(
                    store.client, store.experiment_id
                )  # an interrupted notebook's: its kernel is gone
    return code


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--batch", required=True, help="a CSV of new customers, or a folder of them")
    cli.add_argument("--data", help="the CSV that the live model was trained on (default: found by itself)")
    cli.add_argument("--out", type=Path, default=RETRAINED, help="folder of combined tables and reports")
    cli.add_argument("--models", default=",".join(ALGORITHMS), help="which algorithms, comma-separated")
    cli.add_argument("--every", type=float, help="go on, looking again after so many seconds")
    options = cli.parse_args(arguments)
    if not options.batch:
        cli.error("--batch is empty: give a CSV of new customers, or a folder of them")
    if options.every is not None and not options.every > 0:
        cli.error(f"--every must be above 0 seconds, not {options.every:g}")
    options.models, options.out = options.models.split(","), options.out.resolve()
    try:
        for name in options.models:
            algorithm(name)
    except ValueError as error:
        cli.error(str(error))
    try:
        while True:
            code = process_all(options)
            if not options.every:
                return code
            time.sleep(options.every)
    except KeyboardInterrupt:
        print("interrupted; the next call goes on with what is missing", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # how schedulers stop a job
    sys.exit(main())
