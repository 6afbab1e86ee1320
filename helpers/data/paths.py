"""Find the table of customers."""

import os
from pathlib import Path

from helpers.config import ROOT
from helpers.errors import DataError
from helpers.files import as_url
from helpers.table import BANK, current_table

LONGEST = 500  # characters of a path in a message


def data_path(data: str | os.PathLike | None = None) -> Path:
    """Return the table to use: ``data``, else the variable ``CHURN_DATA``, else the description's sample.

    A relative path is tried from the current folder, then from the project's root, so that a notebook finds
    the same file whichever folder it runs in.

    Raises
    ------
    DataError
        If there is no such file (the message names the places that were tried), or it is a URL, a folder or a
        pipe; or if none is named and the description has no sample.
    """
    if data or os.environ.get("CHURN_DATA"):
        return _find(data or os.environ["CHURN_DATA"], "the path" if data else "CHURN_DATA")
    samples = current_table().samples
    if samples is None:
        raise DataError(f"{_no_sample()}: give the path of a table, or set CHURN_DATA.")
    return _find(samples.customers, "the sample in the description")


def new_customers_path(batch: str | os.PathLike | None = None) -> Path:
    """Return the table of new customers: ``batch``, else the description's sample; see `data_path`."""
    if batch:
        return _find(batch, "the path")
    samples = current_table().samples
    if samples is None:
        raise DataError(f"{_no_sample()} of new customers: give the path of a table as batch.")
    return _find(samples.new_customers, "the sample in the description")


def _no_sample() -> str:
    return f"the description of {current_table().name!r} has no sample"


def _find(path: str | os.PathLike, setting: str) -> Path:
    requested = Path(os.path.expanduser(path))
    if url := as_url(requested):
        raise DataError(f"{url} is a URL: download the table and give the path of the file.")
    places = list(dict.fromkeys([Path.cwd() / requested, ROOT / requested]))
    for path in places:
        if os.path.isfile(path):  # unlike Path's, False for what can be no path, too
            return path.resolve()
    for path in places:
        if os.path.exists(path):
            kind = "a folder" if os.path.isdir(path) else "a pipe or a device"
            raise DataError(f"{path} is {kind}: give the path of a file with the table.")
    if _is_embedded(requested):
        raise DataError(
            f"no file {requested}: the embedded samples are part of a checkout of the project, not of the "
            "installed package. Give a CSV of your own, or run in a checkout."
        )
    if len(str(requested)) > LONGEST:
        raise DataError(f"no file {str(requested)[:LONGEST]}... Check {setting}.")
    raise DataError(f"no file {requested} (tried {', '.join(map(str, places))}). Check {setting}.")


def source_name(path: Path) -> str:
    """Return how to name a file in plots and reports; the embedded ones are marked as synthetic."""
    return f"{path.name} (synthetic sample)" if _is_embedded(path) else path.name


def _is_embedded(path: Path) -> bool:
    return path.parent == BANK.parent and path.suffix == ".csv"
