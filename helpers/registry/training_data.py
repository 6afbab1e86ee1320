"""The table that the production model was trained on: the reference for new customers."""

import json
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
from mlflow.exceptions import MlflowException

from helpers.data import customer_ids, data_path, load, split, table_name
from helpers.errors import DataError, DataWarning
from helpers.files import sha256
from helpers.registry.production import ProductionModel
from helpers.registry.versions import production_version
from helpers.table import current_table
from helpers.tracking import Store


def training_data_path(
    store: Store, model: ProductionModel, data: str | None = None, also: Path | None = None
) -> Path:
    """Return the path of the CSV that the production model was trained on, checked by its fingerprint.

    Parameters
    ----------
    store : Store
    model : ProductionModel
    data : str, optional
        The CSV. None for the file that the training run recorded as its dataset, else the default of
        `data_path` (``CHURN_DATA``, the embedded sample).
    also : Path, optional
        Folder of merged tables (see `save_table`) that is searched first.

    Raises
    ------
    DataError
        If no file at these places has the fingerprint that the version is tagged with; the message says what
        to give.
    """
    places = _places(store, model.run_id, data)
    if also:
        places.insert(0, also / table_name(model.data_sha256))
    return _find(places, model.version, model.data_sha256)


def not_in_production_training(
    store: Store, customers: pd.DataFrame, production_data: str | None = None
) -> pd.Series:
    """Tell which customers the production model was not trained on: only these are a fair test of it.

    If its training table cannot be found, a warning says so, and all customers are treated as unseen. That
    biases the comparison towards the production model (the safe direction).

    Parameters
    ----------
    store : Store
    customers : DataFrame of shape (n_customers, n_columns)
    production_data : str, optional
        The CSV that the production model was trained on; see `training_data_path` for the default.

    Returns
    -------
    Series of bool, shape (n_customers,)
        Same index; all True if nothing is in production.

    Raises
    ------
    DataError
        If ``production_data`` is given and is not that file.
    """
    version = production_version(store.client)
    everyone = pd.Series(True, customers.index)
    if version is None:
        return everyone
    try:
        places = _places(store, version.run_id or "", production_data)
        fingerprint = version.tags.get("data_sha256", "")
        table = load(_find(places, int(version.version), fingerprint, "production_data"))
    except DataError as error:
        if production_data:
            raise
        warnings.warn(
            f"the production model may have been trained on some held-out customers: {error}",
            DataWarning,
            stacklevel=2,
        )
        return everyone
    training = table.loc[split(table).X_train.index]
    key = current_table().key
    if key not in customers or key not in training:
        warnings.warn(
            f"without {key or 'a key'}, nobody can tell which customers the production model was trained on: "
            "some of those held out may be among them",
            DataWarning,
            stacklevel=2,
        )
        return everyone
    return ~customer_ids(customers).isin(customer_ids(training))


def _places(store: Store, run_id: str, data: str | None) -> list[Path]:
    if data:
        return [data_path(data)]
    places = _recorded(store, run_id)
    with suppress(DataError):  # a table may have no sample
        places.append(data_path())
    return places


def _recorded(store: Store, run_id: str) -> list[Path]:
    """Return the local files that a training run recorded as its dataset."""
    paths: list[Path] = []
    try:
        inputs = store.client.get_run(run_id).inputs if run_id else None
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return paths  # the run was removed with `mlflow gc`
    for dataset_input in inputs.dataset_inputs if inputs else []:
        with suppress(ValueError, KeyError):
            uri = json.loads(dataset_input.dataset.source)["uri"]
            paths.append(Path(unquote(urlsplit(uri).path)))
    return paths


def _find(places: list[Path], version: int, fingerprint: str, setting: str = "data") -> Path:
    for path in places:
        if path.is_file() and sha256(path) == fingerprint:
            return path
    tried = " nor ".join(map(str, dict.fromkeys(places)))
    found = f"neither {tried} is that file" if places else "no file is known"
    raise DataError(
        f"{current_table().name} version {version} was trained on a table with sha256 {fingerprint[:12]}..., "
        f"and {found}. Give it as `{setting}`, unchanged."
    )
