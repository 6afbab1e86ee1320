"""``churn describe``, ``churn generate`` and ``churn ui``."""

from pathlib import Path

import click

from helpers.cli import options
from helpers.errors import SettingError


@click.command(
    epilog=options.examples(
        "churn describe customers.csv > mine.yaml",
        "churn describe customers.csv --target churned > mine.yaml",
    )
)
@click.argument("table", callback=options.refuse_empty)
@click.option(
    "--target",
    callback=options.refuse_empty,
    metavar="COLUMN",
    help="Column to predict.  [default: the likeliest one with two values]",
)
@click.option(
    "--name",
    callback=options.refuse_empty,
    help="Name of the use case, for experiment and models.  [default: from the file's name]",
)
@click.option(
    "--decimal",
    type=click.Choice(["point", "comma"]),
    help="Decimal mark of numbers that can be read in two ways, such as 83.808.  [default: they are refused]",
)
def describe(table: str, target: str | None, name: str | None, decimal: str | None) -> None:
    """Draft the description of a table.

    It is valid as it is; what a person must decide is marked.
    """
    from helpers.data import describe

    click.echo(describe(table, target=target, name=name, decimal=decimal).encode(), nl=False)


@click.command(
    epilog=options.examples(
        "churn generate --rows 100000 --out many.csv", "churn generate --shift covariate=0.5 --out older.csv"
    )
)
@options.table
@click.option(
    "--rows",
    type=click.IntRange(1, 100_000_000),
    default=10_000,
    show_default=True,
    help="Number of customers.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 1_000_000_000),
    default=3,
    show_default=True,
    help="A different seed gives different customers.",
)
@click.option(
    "--shift",
    multiple=True,
    metavar="NAME=STRENGTH",
    help="Drift away from the sample; repeatable: covariate, concept, missing or category, each 0 to 1.",
)
@options.out_file
def generate(rows: int, seed: int, shift: tuple[str, ...], out: Path) -> None:
    """Write synthetic customers."""
    from helpers.data import is_synthetic, make_customers
    from helpers.files import check_output, write_atomically

    strengths = dict(map(_strength, shift))
    if len(strengths) < len(shift):
        raise SettingError("--shift names a shift twice: give each once")
    check_output(out, is_synthetic)
    table = make_customers(rows, seed, strengths)
    write_atomically(out, table.to_csv(index=False, lineterminator="\n").encode(), is_synthetic)
    click.echo(f"{rows} customers: {out}")


def _strength(text: str) -> tuple[str, float]:
    name, _, strength = text.partition("=")
    try:
        return name, float(strength)
    except ValueError:
        raise SettingError(f"--shift takes NAME=STRENGTH, e.g. covariate=0.5, not {text}") from None


@click.command(epilog=options.examples("churn ui", "churn ui --port 5001"))
@options.table
@options.host
@options.port(5000)
def ui(host: str, port: int) -> None:
    """Open the MLflow UI.

    It shows the embedded store; for a tracking server, the command prints the address of its UI.
    """
    from helpers.tracking import become_ui

    become_ui(host, port)
