"""``churn run`` and ``churn train``: the notebooks, headlessly."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from helpers.cli import options
from helpers.config import ROOT
from helpers.errors import NotebookError, SettingError

if TYPE_CHECKING:
    from helpers.workflows import NotebookStep


@click.command(
    epilog=options.examples(
        "churn run",
        "churn run --data customers.csv --models knn,tree --missed-cost 20",
        "churn run --table mine.yaml --data customers.csv --batch new.csv",
        "churn run --algorithms my_models.py --models knn,xgboost",
        "churn run --only 04_registry",
    )
)
@options.table
@options.algorithms
@options.data
@options.models
@options.missed_cost
@options.wasted_cost
@click.option(
    "--batch",
    callback=options.none_if_empty,
    metavar="CSV",
    help="Table of new customers, to score and monitor.  [default: the sample in the table's description]",
)
@click.option("--only", metavar="NOTEBOOK", help="One notebook, e.g. 04_registry.  [default: all six]")
@options.out_folder
def run(
    data: str | None,
    models: list[str] | None,
    missed_cost: float | None,
    wasted_cost: float | None,
    batch: str | None,
    only: str | None,
    out: Path,
) -> None:
    """Run the notebooks in order; print the models and the winner."""
    from helpers.workflows import notebook_steps

    settings = _settings(models, None, missed_cost, wasted_cost)
    steps = notebook_steps(models, data, out, settings, batch)
    chosen = [step for step in steps if only in (None, step.notebook)]
    if not chosen:
        names = dict.fromkeys(step.notebook for step in steps)
        raise SettingError(f"no notebook {only!r}: choose from {', '.join(names)}")
    _run_notebooks(chosen, out)


@click.command(
    epilog=options.examples(
        "churn train --models knn",
        "churn train --models forest --grid '{\"n_estimators\": [100, 300]}'",
    )
)
@options.table
@options.algorithms
@options.data
@options.models
@click.option(
    "--grid",
    metavar="JSON",
    callback=options.none_if_empty,
    help="Hyperparameters and their values, for one algorithm.  [default: the algorithm's own grid]",
)
@options.missed_cost
@options.wasted_cost
@options.out_folder
def train(
    data: str | None,
    models: list[str] | None,
    grid: str | None,
    missed_cost: float | None,
    wasted_cost: float | None,
    out: Path,
) -> None:
    """Train algorithms; track every run and register the models.

    Each is five folds x every hyperparameter combination, and a new version in staging.
    """
    from helpers.workflows import training_steps

    settings = _settings(models, grid, missed_cost, wasted_cost)
    _run_notebooks(training_steps(models, data, settings), out)


def _settings(
    models: list[str] | None, grid: str | None, missed_cost: float | None, wasted_cost: float | None
) -> dict[str, object]:
    """Return the training notebook's settings that were given."""
    if grid and (not models or len(models) > 1):
        raise SettingError("a grid is for one algorithm: name it with --models")
    settings = {"grid": grid, "missed_cost": missed_cost, "wasted_cost": wasted_cost}
    return {name: value for name, value in settings.items() if value is not None}


def _run_notebooks(steps: list["NotebookStep"], out: Path) -> None:
    from helpers.tracking import connect
    from helpers.workflows import check_steps, run_notebooks, summarize

    folder = ROOT / "notebooks"
    if not folder.is_dir():
        raise NotebookError(
            f"no notebooks in {folder}: they are not part of the installed package. Run this command in a "
            "copy of the project's repository"
        )
    check_steps(steps, out)
    store = connect()
    workflow = run_notebooks(steps, out, store)
    if len(table := summarize(store, workflow)):
        click.echo(f"\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    click.echo(f"\nExecuted notebooks and scores: {out}\nRuns and models: churn ui")
