"""The table that the live model was trained on: what new customers are compared with."""

import json
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from helpers.data import customer_ids, data_path, load, split
from helpers.errors import DataError
from helpers.files import sha256
from helpers.registry.production import ProductionModel
from helpers.registry.stages import production_version
from helpers.tracking import Store


def training_data_path(store: Store, live: ProductionModel, data: str | None = None) -> Path:
    """Find the CSV that the live version was trained on, and make sure that it is that very file.

    Looked at: ``data`` if given, and nothing else then; else the file that the training recorded as its
    dataset, else what `data.data_path` gives (``CHURN_DATA``, the embedded sample).

    Raises
    ------
    DataError
        If none of them has the fingerprint that the version is tagged with; the message says what to give.
    """
    return _find(store, live.version, live.run_id, live.data_sha256, data)


def not_in_production_training(
    store: Store, customers: pd.DataFrame, live_data: str | None = None
) -> pd.Series:
    """Tell which customers the live version was not trained on: only they are a fair test of it.

    Without the table of the live version's training that can't be told. Then a warning says so and all
    customers are taken for new ones: a comparison favours the live version, so nothing is promoted by that.

    Parameters
    ----------
    store : Store
    customers : DataFrame of shape (n_customers, 14)
    live_data : str, optional
        The CSV that the live version was trained on; found by itself if it still lies where it did.

    Returns
    -------
    Series of bool, shape (n_customers,)
        Same index; all True while nothing is live.

    Raises
    ------
    DataError
        If ``live_data`` is given and is not that file.
    """
    live = production_version(store.client)
    everybody = pd.Series(True, customers.index)
    if live is None:
        return everybody
    try:
        fingerprint = live.tags.get("data_sha256", "")
        table = load(_find(store, int(live.version), live.run_id, fingerprint, live_data, "live_data"))
    except DataError as error:
        if live_data:
            raise
        warnings.warn(f"the live version may know some held-out customers: {error}", stacklevel=2)
        return everybody
    seen = table.loc[split(table).X_train.index]
    return ~customer_ids(customers).isin(customer_ids(seen))


def _find(
    store: Store, version: int, run_id: str, fingerprint: str, data: str | None, setting: str = "data"
) -> Path:
    places = [data_path(data)] if data else [*_recorded(store, run_id), data_path()]
    for path in places:
        if path.is_file() and sha256(path) == fingerprint:
            return path
    looked = " nor ".join(map(str, dict.fromkeys(places)))
    raise DataError(
        f"churn version {version} was trained on a table with sha256 {fingerprint[:12]}..., and "
        f"neither {looked} is that file. Give it as `{setting}`, unchanged."
    )


def _recorded(store: Store, run_id: str) -> list[Path]:
    """Return the local files that a training run names as its dataset's source."""
    found = []
    for given in store.client.get_run(run_id).inputs.dataset_inputs:
        with suppress(ValueError, KeyError):
            uri = json.loads(given.dataset.source)["uri"]
            found.append(Path(unquote(urlsplit(uri).path)))
    return found
