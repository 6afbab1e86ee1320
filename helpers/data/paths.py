"""Find the CSV of customers."""

import os
from pathlib import Path

from helpers.config import EMBEDDED_DATA, NEW_CUSTOMERS, ROOT
from helpers.errors import DataError
from helpers.files import as_url

LONGEST = 500  # characters of a path in a message


def data_path(data: str | os.PathLike | None = None) -> Path:
    """Return the CSV to use: ``data``, else the variable ``CHURN_DATA``, else the embedded sample.

    A relative path is tried from the current folder, then from the project's root, so that a notebook finds
    the same file whichever folder it runs in.

    Raises
    ------
    DataError
        If there is no such file (the message names the places that were tried), or it is a URL, a folder or a
        pipe.
    """
    requested = Path(os.path.expanduser(data or os.environ.get("CHURN_DATA") or EMBEDDED_DATA))
    if url := as_url(requested):
        raise DataError(f"{url} is a URL: download the table and give the path of the file.")
    places = list(dict.fromkeys([Path.cwd() / requested, ROOT / requested]))
    for path in places:
        if os.path.isfile(path):  # unlike Path's, False for what can be no path, too
            return path.resolve()
    for path in places:
        if os.path.exists(path):
            kind = "a folder" if os.path.isdir(path) else "a pipe or a device"
            raise DataError(f"{path} is {kind}: save the table as a CSV and give the path of the file.")
    if requested in (EMBEDDED_DATA, NEW_CUSTOMERS):
        raise DataError(
            f"no file {requested}: the embedded samples are part of a checkout of the project, not of the "
            "installed package. Give a CSV of your own, or run in a checkout."
        )
    setting = "the path" if data else "CHURN_DATA"
    if len(str(requested)) > LONGEST:
        raise DataError(f"no file {str(requested)[:LONGEST]}... Check {setting}.")
    raise DataError(f"no file {requested} (tried {', '.join(map(str, places))}). Check {setting}.")


def source_name(path: Path) -> str:
    """Return how to name a file in plots and reports; the embedded ones are marked as synthetic."""
    return f"{path.name} (synthetic sample)" if path in (EMBEDDED_DATA, NEW_CUSTOMERS) else path.name
