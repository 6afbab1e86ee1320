"""Score a file of customers with the production model."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.config import DECISION_THRESHOLD
from helpers.data import load, load_sound, new_customers_path, places
from helpers.errors import SettingError
from helpers.files import Kind, begins_with, check_output, write_atomically
from helpers.registry import CONTACT, ProductionModel
from helpers.scoring.scores_csv import to_csv
from helpers.table import current_table
from helpers.tracking import Store, check_rights, log_dataset, log_values, single_run

REFUSE, ASIDE = BAD_ROWS = "refuse", "aside"
SCORE_COLUMNS = ["customer", "probability", "decision", "model_version"]
REJECT_COLUMNS = ["line", "reasons"]


@dataclass(frozen=True)
class ScoredFile:
    """The result of scoring a file.

    Attributes
    ----------
    customers : DataFrame of shape (n_customers, n_columns)
        As read from the file.
    scores : DataFrame of shape (n_customers, 4)
        See `score_customers`.
    path : Path
        Where the scores were written.
    run_id : str
        The run with ``level=scoring``.
    rejects : DataFrame of shape (n_rejects, 2)
        ``line`` of the file and ``reasons`` of every row that was set aside; empty if none was.
    """

    customers: pd.DataFrame
    scores: pd.DataFrame
    path: Path
    run_id: str
    rejects: pd.DataFrame

    @property
    def rejects_path(self) -> Path:
        """Where the rejects were written, if rows may be set aside."""
        return rejects_path(self.path)


def score_customers(model: ProductionModel, customers: pd.DataFrame) -> pd.DataFrame:
    """Score validated customers.

    Returns
    -------
    DataFrame of shape (n_customers, 4)
        ``customer`` (the key as text, or the line of the file if there is none), ``probability``,
        ``decision`` and ``model_version``, in the customers' order.
    """
    key = current_table().key
    names = customers[key] if key in customers else places(customers.index)
    return model.score(customers).assign(customer=names)[SCORE_COLUMNS]


def rejects_path(out: Path) -> Path:
    """Return the name of the file beside the scores: ``scores.rejects.csv``."""
    return out.with_name(f"{out.stem}.rejects.csv")


def check_outputs(out: Path, bad_rows: str = REFUSE, batch: Path | None = None) -> dict[Path, Kind]:
    """Check that the scores, and the rejects if there may be some, can be written, before anything is scored.

    Returns
    -------
    dict
        The files, each with its kind; see ``files.check_output``.

    Raises
    ------
    SettingError
        If one cannot be written, or would replace another file, for example the batch.
    """
    outputs = {out: begins_with(",".join(SCORE_COLUMNS))}
    if bad_rows == ASIDE:
        outputs[rejects_path(out)] = begins_with(",".join(REJECT_COLUMNS))
    for output, kind in outputs.items():
        if batch and output.exists() and output.samefile(batch):
            raise SettingError(f"{output} is the batch itself: write the scores to another file")
        check_output(output, kind)
    return outputs


def score_file(
    store: Store,
    model: ProductionModel,
    batch: str | Path | None = None,
    out: str | Path = "scores.csv",
    bad_rows: str = REFUSE,
) -> ScoredFile:
    """Score a CSV, write the scores to another one, and log a run with ``level=scoring``.

    Parameters
    ----------
    store : Store
    model : ProductionModel
    batch : path, optional
        A CSV with all features; identifiers and the outcome are optional. None for the
        description's sample.
    out : path
        Written completely or not at all; its folder is created if missing. Not the batch.
    bad_rows : {"refuse", "aside"}
        Whether one row that cannot be used refuses the file, or is set aside: the sound rows are scored then,
        and `rejects_path` names every other row with its reasons.

    Raises
    ------
    DataError
        If the batch cannot be used (the message lists every problem) or has no sound row. Nothing is written
        then.
    SettingError
        If ``bad_rows`` is neither, or see `check_outputs`.
    StoreError
        If the user may not write to the experiment.
    """
    if bad_rows not in BAD_ROWS:
        raise SettingError(f"bad_rows must be {' or '.join(BAD_ROWS)}, not {bad_rows!r}")
    source, target = new_customers_path(batch), Path(out)
    outputs = check_outputs(target, bad_rows, source)
    check_rights(store.client)
    customers, rejects = _read(model, source, bad_rows)
    scores = score_customers(model, customers)
    with single_run(store, "scoring", {"production_version": str(model.version)}) as run_id:
        for (output, kind), table in zip(outputs.items(), (scores, rejects), strict=False):
            write_atomically(output, to_csv(table), kind)
        log_dataset(store, run_id, customers, source, "scoring")
        metrics = {**_metrics(scores), "n_rejects": len(rejects), DECISION_THRESHOLD: model.threshold}
        log_values(store, run_id, metrics=metrics)
        for output in outputs:
            store.client.log_artifact(run_id, str(output))
    return ScoredFile(customers, scores, target, run_id, rejects)


def _read(model: ProductionModel, source: Path, bad_rows: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the customers to score, and the rows that are set aside with their reasons."""
    if bad_rows == REFUSE:
        return load(source, target=False), pd.DataFrame(columns=REJECT_COLUMNS)
    customers, reasons = load_sound(source)
    unscorable = model.unscorable(customers)
    if len(unscorable) < len(customers):  # else scoring refuses them all
        customers = customers.drop(index=unscorable.index)
        reasons = pd.concat([reasons, unscorable.set_axis(places(unscorable.index))])
    return customers, reasons.rename_axis("line").rename("reasons").sort_index().reset_index()


def _metrics(scores: pd.DataFrame) -> dict[str, float]:
    contacted = scores["decision"].eq(CONTACT)
    return {
        "n_customers": len(scores),
        "n_contacted": contacted.sum(),
        "contacted_share": contacted.mean(),
        "probability_mean": scores["probability"].mean(),
    }
