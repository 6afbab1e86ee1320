"""Make room: delete the runs of a search, which nothing needs after its training."""

import time

from helpers.tracking.stale_runs import search_runs
from helpers.tracking.store import Store
from helpers.tracking.training_run import FOLD_GROUP

DAY = 24 * 3600


def delete_search_runs(store: Store, older_than_days: float) -> int:
    """Delete the combination and fold runs of trainings that ended so many days ago.

    The model runs stay, with everything that promotion, monitoring and an audit need. A training that did not
    log its folds' scores on its model run, as earlier versions of the project did not, keeps its fold runs.

    Parameters
    ----------
    store : Store
    older_than_days : float

    Returns
    -------
    int
        How many runs were deleted. They can be restored until ``mlflow gc`` removes them.
    """
    end = int((time.time() - older_than_days * DAY) * 1000)
    deleted = 0
    for model in _search(store, f"tags.level = 'model' and attributes.end_time <= {end}"):
        folds = _search(store, f"tags.level = 'fold' and tags.`mlflow.parentRunId` = '{model.info.run_id}'")
        needed = model.info.status == "FINISHED" and not any(
            name.startswith(FOLD_GROUP) for name in model.data.metrics
        )
        for fold in folds:
            below = _search(store, f"tags.`mlflow.parentRunId` = '{fold.info.run_id}'")
            # From the bottom up, so that an interrupted call finds the rest again.
            for run in below if needed else [*below, fold]:
                store.client.delete_run(run.info.run_id)
                deleted += 1
    return deleted


def _search(store: Store, query: str) -> list:
    return search_runs(store.client, store.experiment_id, query)
