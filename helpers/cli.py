"""The command ``churn``: everything that runs without a notebook open. ``python -m helpers`` is the same.

Exit codes are those of `helpers.errors.ExitCode`. An expected error is one message on standard error; only a
fault of the program itself shows a traceback.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from helpers.config import ROOT
from helpers.errors import ExitCode, ProjectError, SettingError

if TYPE_CHECKING:
    from helpers.workflows import NotebookStep

OUTPUTS = ROOT / "outputs"


class _Models(click.ParamType):
    """Names of algorithms, separated by commas."""

    name = "names"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        from helpers.training import algorithm

        names = str(value).split(",")
        for name in names:
            algorithm(name)
        return names


def _example(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("is empty: give a file, or leave the option out")
    return value


models_option = click.option(
    "--models", type=_Models(), help="Algorithms to train, separated by commas.  [default: all]"
)
data_option = click.option(
    "--data", help="CSV of customers.  [default: CHURN_DATA, else the embedded sample]"
)
reference_option = click.option(
    "--data", help="CSV that the production model was trained on.  [default: where its training found it]"
)
batch_help = "CSV of new customers.  [default: the embedded data/new_customers.csv]"
out_option = click.option(
    "--out", type=click.Path(path_type=Path), default=OUTPUTS, help="Folder of the executed notebooks."
)
missed_cost_option = click.option(
    "--missed-cost", type=float, help="Cost of a churner who is not contacted.  [default: 5]"
)
wasted_cost_option = click.option(
    "--wasted-cost", type=float, help="Cost of contacting a customer who would have stayed.  [default: 1]"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def churn() -> None:
    r"""From a bank's customer table to a monitored model in production, with MLflow.

    \b
    Exit codes: 0 done; 1 failed; 2 wrong usage; 130 interrupted.
    `churn retrain` also: 3 drift, but too few known outcomes to retrain; 4 another retraining in progress.
    """


@churn.command(
    epilog=_example("churn run", "churn run --data customers.csv --models knn,tree --missed-cost 20")
)
@data_option
@models_option
@missed_cost_option
@wasted_cost_option
@click.option("--only", help="One notebook, e.g. 04_registry.  [default: all six]")
@out_option
def run(
    data: str | None,
    models: list[str] | None,
    missed_cost: float | None,
    wasted_cost: float | None,
    only: str | None,
    out: Path,
) -> None:
    """Run the notebooks headlessly, in order; ends with a table of the models and the winner."""
    from helpers.workflows import notebook_steps

    steps = notebook_steps(models, data, out, _given(missed_cost=missed_cost, wasted_cost=wasted_cost))
    chosen = [step for step in steps if only in (None, step.notebook)]
    if not chosen:
        names = dict.fromkeys(step.notebook for step in steps)
        raise SettingError(f"no notebook {only!r}: choose from {', '.join(names)}")
    _run_notebooks(chosen, out)


@churn.command(
    epilog=_example(
        "churn train --models knn", "churn train --models forest --grid '{\"n_estimators\": [100, 300]}'"
    )
)
@data_option
@models_option
@click.option(
    "--grid", help="Hyperparameters and their values, as JSON; for one algorithm.  [default: its own grid]"
)
@missed_cost_option
@wasted_cost_option
@out_option
def train(
    data: str | None,
    models: list[str] | None,
    grid: str | None,
    missed_cost: float | None,
    wasted_cost: float | None,
    out: Path,
) -> None:
    """Train algorithms: five folds x every combination of hyperparameters, tracked and registered."""
    from helpers.workflows import training_steps

    if grid and len(models or ()) != 1:
        raise SettingError("a grid is for one algorithm: name it with --models")
    settings = _given(grid=grid, missed_cost=missed_cost, wasted_cost=wasted_cost)
    _run_notebooks(training_steps(models, data, settings), out)


@churn.command(
    epilog=_example("churn score --out scores.csv", "churn score --batch new.csv --out scores.csv")
)
@click.option("--batch", callback=_not_empty, help=batch_help)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV to write.")
def score(batch: str | None, out: Path) -> None:
    """Score a file of customers with the production model."""
    from helpers.registry import CONTACT, load_production_model
    from helpers.scoring import score_file
    from helpers.tracking import connect

    store = connect()
    model = load_production_model(store.client)
    scored = score_file(store, model, batch, out)
    contacts = scored.scores["decision"].eq(CONTACT).sum()
    count = f"{len(scored.scores)} customers scored by churn version {model.version}"
    click.echo(f"{count}, {contacts} to contact: {scored.path}")


@churn.command(epilog=_example("churn serve", "churn serve --port 8081 --workers 2"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to listen on."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes, each with the model.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the production model over HTTP: POST /invocations, GET /ping."""
    from helpers.serving import become_server

    become_server(host, port, workers)


@churn.command(epilog=_example("churn monitor", "churn monitor --batch new.csv"))
@click.option("--batch", help=batch_help)
@reference_option
def monitor(batch: str | None, data: str | None) -> None:
    """Compare new customers with the training data: keep, watch or retrain."""
    from helpers.monitoring import run_monitoring
    from helpers.tracking import connect

    click.echo(run_monitoring(connect(), batch, data).report.summary())


@churn.command(
    epilog=_example("churn retrain --batch new.csv", "churn retrain --batch batches/ --every 86400")
)
@click.option(
    "--batch", required=True, callback=_not_empty, help="CSV of new customers, or a folder of them."
)
@reference_option
@models_option
@click.option("--every", type=float, help="Keep running, and look for new tables every so many seconds.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=OUTPUTS / "retrain",
    help="Folder of merged tables and reports.",
)
def retrain(batch: str, data: str | None, models: list[str] | None, every: float | None, out: Path) -> None:
    """Monitor new customers and, on drift, train challengers, gate and promote the best.

    Safe to repeat: a table that was processed is not processed again, and an interrupted retraining resumes.
    """
    from helpers.workflows import process_all, process_forever

    if every is not None and not every > 0:
        raise SettingError(f"--every must be above 0 seconds, not {every:g}")
    if every:
        process_forever(batch, data, models, out.resolve(), every)
    sys.exit(process_all(batch, data, models, out.resolve()))


@churn.command(
    epilog=_example(
        "churn generate --rows 100000 --out many.csv", "churn generate --out old.csv --shift covariate=0.5"
    )
)
@click.option("--rows", type=int, default=10_000, show_default=True, help="Number of customers.")
@click.option("--seed", type=int, default=3, show_default=True, help="Another seed gives other customers.")
@click.option(
    "--shift",
    multiple=True,
    metavar="NAME=STRENGTH",
    help="Drift away from the sample; repeatable: covariate, concept, missing or category, each from 0 to 1.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV to write.")
def generate(rows: int, seed: int, shift: tuple[str, ...], out: Path) -> None:
    """Write synthetic customers."""
    from helpers.data import make_customers
    from helpers.files import write_atomically

    strengths = {}
    for name, _, strength in (text.partition("=") for text in shift):
        try:
            strengths[name] = float(strength)
        except ValueError:
            raise SettingError(
                f"--shift takes NAME=STRENGTH, e.g. covariate=0.5, not {name}={strength}"
            ) from None
    table = make_customers(rows, seed, strengths)
    write_atomically(out, table.to_csv(index=False, lineterminator="\n").encode())


@churn.command(epilog=_example("churn ui", "churn ui --port 5001"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Port to listen on."
)
def ui(host: str, port: int) -> None:
    """Open the MLflow UI on the embedded store, or say where the server's is."""
    from helpers.tracking import become_ui

    become_ui(host, port)


def _given(**settings: object) -> dict[str, object]:
    """Return the settings that were given; papermill takes the notebook's defaults for the others."""
    return {name: value for name, value in settings.items() if value not in (None, "")}


def _run_notebooks(steps: list["NotebookStep"], out: Path) -> None:
    from helpers.tracking import connect
    from helpers.workflows import run_notebooks, summarize

    store = connect()
    workflow = run_notebooks(steps, out, store)
    if len(table := summarize(store, workflow)):
        click.echo(f"\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    click.echo(f"\nExecuted notebooks and scores: {out}\nRuns and models: churn ui")


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit; the one place where errors become messages and exit codes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # how schedulers stop a job
    try:
        code = churn.main(arguments, prog_name="churn", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; the same command resumes", ExitCode.INTERRUPTED)
    except ProjectError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(str(error), ExitCode.FAILED)
    except Exception as error:
        if type(error).__module__ != "mlflow.exceptions":  # not imported for its sake
            raise
        _fail(f"MLflow: {error}", ExitCode.FAILED)
    sys.exit(code or ExitCode.DONE)


def _fail(message: str, code: ExitCode) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)
