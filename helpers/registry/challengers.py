"""The versions in staging, side by side."""

import pandas as pd

from helpers.config import SELECT_BY, registered_name
from helpers.errors import NoChallengers
from helpers.registry.stages import staging_version
from helpers.tracking import Store
from helpers.training import ALGORITHMS

METRICS = {
    "CV F1": "cv_val_f1_mean",
    "CV F1 std": "cv_val_f1_std",
    "hold-out F1": "test_f1",
    "hold-out accuracy": "test_accuracy",
    "hold-out ROC AUC": "test_roc_auc",
}


def compare_challengers(store: Store, data_sha256: str) -> pd.DataFrame:
    """Return the staged version of every algorithm that was trained on the given data, best first.

    Versions trained on other data are left out: their scores are of other customers.

    Parameters
    ----------
    store : Store
    data_sha256 : str
        Fingerprint of the CSV.

    Returns
    -------
    DataFrame
        Indexed by algorithm, sorted by mean validation F1; ``name``, ``version``, ``run_id`` and the columns
        of ``METRICS``.

    Raises
    ------
    NoChallengers
        If there is none.
    """
    found = {name: staging_version(store.client, name) for name in ALGORITHMS}
    on_this_data = {
        name: version
        for name, version in found.items()
        if version is not None and version.tags.get("data_sha256") == data_sha256
    }
    if not on_this_data:
        others = ", ".join(registered_name(name) for name, version in found.items() if version) or "nothing"
        raise NoChallengers(
            f"no version in staging was trained on this data (sha256 {data_sha256[:12]}...; in staging is: "
            f"{others}). Run notebooks/03_train.ipynb with the same data first."
        )
    rows = {}
    for name, version in on_this_data.items():
        metrics = store.client.get_run(version.run_id).data.metrics
        rows[name] = {"name": version.name, "version": int(version.version), "run_id": version.run_id} | {
            label: metrics[key] for label, key in METRICS.items()
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("algorithm")
    return table.sort_values(f"CV {SELECT_BY.upper()}", ascending=False, kind="stable")
