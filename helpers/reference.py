"""The table that the live model was trained on: what new customers are compared with."""

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.data import DataError, data_path, fingerprint
from helpers.live import LiveModel
from helpers.store import Store


def reference_path(store: Store, live: LiveModel, data: str | None = None) -> Path:
    """Find the CSV that the live version was trained on, and make sure that it is that very file.

    Looked at: ``data`` if given, and nothing else then; else the file that the training recorded as its
    dataset, else what `data.data_path` gives (``CHURN_DATA``, the embedded sample).

    Raises
    ------
    DataError
        If none of them has the fingerprint that the version is tagged with; the message says what to give.
    """
    places = [data_path(data)] if data else [*_recorded(store, live.run_id), data_path()]
    for path in places:
        if path.is_file() and fingerprint(path) == live.data_sha256:
            return path
    looked = " nor ".join(map(str, dict.fromkeys(places)))
    raise DataError(
        f"churn version {live.version} was trained on a table with sha256 {live.data_sha256[:12]}..., and "
        f"neither {looked} is that file. Give it as `data`, unchanged."
    )


def _recorded(store: Store, run_id: str) -> list[Path]:
    """Return the local files that a training run names as its dataset's source."""
    found = []
    for given in store.client.get_run(run_id).inputs.dataset_inputs:
        with suppress(ValueError, KeyError):
            uri = json.loads(given.dataset.source)["uri"]
            found.append(Path(unquote(urlsplit(uri).path)))
    return found
