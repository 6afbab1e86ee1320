"""Options that several commands share, and how their values are read."""

from pathlib import Path
from typing import Any

import click

from helpers.config import OUTPUTS


class AlgorithmNames(click.ParamType):
    """Names of algorithms, separated by commas; none means all."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Return the names, each checked."""
        from helpers.training import algorithm

        names = [name.strip() for name in str(value).split(",") if name.strip()]
        for name in names:
            algorithm(name)
        return names


def examples(*lines: str) -> str:
    """Return the end of a command's help: example lines that click leaves unwrapped."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def refuse_empty(ctx: click.Context, param: click.Parameter, value: str | Path | None) -> str | Path | None:
    """Reject an empty value: an unset shell variable, rather than a wish for the default."""
    if value is not None and str(value) in ("", "."):  # an empty path is "."
        raise click.BadParameter("is empty: give a value, or omit the option")
    return value


def none_if_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Treat an empty value as not given: MLproject has no other way to leave a parameter out."""
    return value or None


def cost(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Return a cost; an empty one is not given, see `none_if_empty`."""
    return click.FLOAT(value, param, ctx) if value else None


BATCH = "Table of new customers.  [default: the sample in the description]"


def use_table(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Use the description for the whole command: the other options depend on it."""
    if value:
        from helpers.table import use_table

        use_table(value)


def use_algorithms(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Use a file of algorithms for the whole command: ``--models`` depends on it."""
    if value:
        from helpers.training import use_algorithms

        use_algorithms(value)


table = click.option(
    "--table",
    metavar="YAML",
    is_eager=True,
    expose_value=False,
    callback=use_table,
    help="Description of the customer table.  [default: CHURN_TABLE, else the bank's]",
)
algorithms = click.option(
    "--algorithms",
    metavar="PYTHON",
    is_eager=True,
    expose_value=False,
    callback=use_algorithms,
    help="Python file with algorithms of your own.  [default: CHURN_ALGORITHMS, else none]",
)
data = click.option(
    "--data",
    callback=none_if_empty,
    metavar="FILE",
    help="Table of customers.  [default: CHURN_DATA, else the description's sample]",
)
training_data = click.option(
    "--data",
    callback=none_if_empty,
    metavar="FILE",
    help="Table that the production model was trained on.  [default: the path its training recorded]",
)
models = click.option(
    "--models",
    type=AlgorithmNames(),
    metavar="NAMES",
    help="Algorithms to train, separated by commas.  [default: knn,logreg,tree,forest and your own]",
)
missed_cost = click.option(
    "--missed-cost",
    callback=cost,
    metavar="FLOAT",
    help="Cost of a churner who is not contacted.  [default: the description's]",
)
wasted_cost = click.option(
    "--wasted-cost",
    callback=cost,
    metavar="FLOAT",
    help="Cost of contacting a customer who would have stayed.  [default: the description's]",
)
out_folder = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=OUTPUTS,
    help="Folder of the executed notebooks.  [default: outputs]",
)
out_file = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=refuse_empty,
    required=True,
    help="CSV to write.",
)
host = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=refuse_empty,
    help="Address to listen on.",
)


def port(default: int) -> Any:
    """Return the option ``--port`` with a default."""
    return click.option(
        "--port",
        type=click.IntRange(1, 65535),
        default=default,
        show_default=True,
        help="Port to listen on.",
    )
