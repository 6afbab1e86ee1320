"""The production model: ``churn score``, ``serve``, ``monitor``, ``history`` and ``retrain``."""

import sys
from pathlib import Path

import click

from helpers.cli import options
from helpers.config import OUTPUTS
from helpers.errors import ExitCode, SettingError

SECONDS_A_YEAR = 365 * 24 * 3600


@click.command(
    epilog=options.examples("churn score --out scores.csv", "churn score --batch new.csv --out scores.csv")
)
@options.table
@options.algorithms
@click.option("--batch", callback=options.refuse_empty, metavar="CSV", help=options.BATCH)
@options.out_file
@click.option(
    "--bad-rows",
    type=click.Choice(["refuse", "aside"]),
    default="refuse",
    show_default=True,
    help="Refuse a file with bad rows, or score the sound ones and write the others to OUT.rejects.csv.",
)
def score(batch: str | None, out: Path, bad_rows: str) -> None:
    """Score a file of customers with the production model."""
    from helpers.data import rows_are
    from helpers.registry import CONTACT, load_production_model
    from helpers.scoring import ScoreSettings, score_file
    from helpers.table import current_table
    from helpers.tracking import connect

    ScoreSettings.check({"batch": batch, "out": out.absolute(), "bad_rows": bad_rows})
    store = connect()
    model = load_production_model(store.client)
    scored = score_file(store, model, batch, out, bad_rows)
    contacts = scored.scores["decision"].eq(CONTACT).sum()
    count = f"{len(scored.scores)} customers scored by {current_table().name} version {model.version}"
    click.echo(f"{count}, {contacts} to contact: {scored.path}")
    if len(scored.rejects):
        click.echo(f"{rows_are(len(scored.rejects))} not scored, see {scored.rejects_path}", err=True)
        sys.exit(ExitCode.ROWS_ASIDE)


@click.command(epilog=options.examples("churn serve", "churn serve --port 8081 --workers 2"))
@options.table
@options.algorithms
@options.host
@options.port(8080)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes, each with its own copy of the model.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the production model over HTTP.

    POST /invocations scores customers, GET /ping tells whether the server is ready. Promotions are picked up
    without a restart.
    """
    from helpers.serving import become_server

    become_server(host, port, workers)


@click.command(epilog=options.examples("churn monitor", "churn monitor --batch new.csv"))
@options.table
@options.algorithms
@click.option("--batch", callback=options.none_if_empty, metavar="CSV", help=options.BATCH)
@options.training_data
def monitor(batch: str | None, data: str | None) -> None:
    """Compare new customers with the training data: keep, watch or retrain."""
    from helpers.monitoring import MonitorSettings, run_monitoring
    from helpers.tracking import connect

    MonitorSettings.check({"batch": batch, "data": data})
    click.echo(run_monitoring(connect(), batch, data).report.summary())


@click.command(epilog=options.examples("churn history"))
@options.table
def history() -> None:
    """Show every version that is or was in production: from where, when, by whom and why."""
    from helpers import registry
    from helpers.tracking import connect, store_address

    table = registry.history(connect().client)
    nothing = f"nothing has been in production in {store_address()} yet"
    click.echo(nothing if table.empty else table.to_string())


@click.command(
    epilog=options.examples("churn retrain --batch new.csv", "churn retrain --batch batches/ --every 86400")
)
@options.table
@options.algorithms
@click.option(
    "--batch",
    required=True,
    callback=options.refuse_empty,
    metavar="PATH",
    help="Table of new customers, or a folder of them.",
)
@options.training_data
@options.models
@click.option("--every", type=float, metavar="SECONDS", help="Keep running; process new tables this often.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=OUTPUTS / "retrain",
    help="Folder of merged tables and reports.  [default: outputs/retrain]",
)
def retrain(batch: str, data: str | None, models: list[str] | None, every: float | None, out: Path) -> None:
    """Monitor new customers; on drift, retrain and promote.

    Challengers of every algorithm are trained on old and new customers; the best one that passes the gates is
    promoted. Safe to repeat: a table is processed once, and an interrupted retraining resumes.
    """
    from helpers.data import require_key
    from helpers.files import check_folder
    from helpers.monitoring import MonitorSettings
    from helpers.workflows import process_all, process_forever

    require_key()
    MonitorSettings.check({"data": data})
    check_folder(out)
    if every is not None and not 0 < every <= SECONDS_A_YEAR:
        raise SettingError(f"--every must be above 0 seconds and at most a year, not {every:g}")
    if every:
        process_forever(batch, data, models, out.resolve(), every)
    sys.exit(process_all(batch, data, models, out.resolve()))
