"""The command ``churn``: everything that runs without an open notebook. ``python -m helpers`` is the same.

Exit codes are those of `helpers.errors.ExitCode`. An expected error is one message on standard error; only a
bug in the program shows a traceback. Each command imports what it needs when it runs, so help is immediate.
"""

import logging
import signal
import sys
import warnings
from types import FrameType
from typing import NoReturn

import click

from helpers.cli.notebooks import run, train
from helpers.cli.production import history, monitor, retrain, score, serve
from helpers.cli.tools import describe, generate, ui
from helpers.config import set_mlflow_defaults
from helpers.errors import DataWarning, ExitCode, ProjectError
from helpers.masking import mask

EXIT_CODES = """\b
Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    retrain: drift, but too few known outcomes to retrain
  4    retrain: another retraining is in progress
  5    score: some rows were set aside
  130  interrupted
"""


_python_format = warnings.formatwarning
# Modules of the errors that a store raises. Compared by name: importing MLflow takes seconds.
STORE_ERRORS = ("mlflow.exceptions", "sqlalchemy.exc", "requests.exceptions")


class _InOrder(click.Group):
    """A group that lists its commands in the order of a model's life, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def churn() -> None:
    """From a bank's customer table to a monitored model in production."""


for command in (describe, run, train, score, serve, monitor, retrain, history, generate, ui):
    churn.add_command(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit: the one place where errors become messages and exit codes."""
    set_mlflow_defaults()
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C, and how schedulers stop a job
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # a closed terminal, unless nohup ignores it
        signal.signal(signal.SIGHUP, _interrupt)
    warnings.formatwarning = _format_warning
    try:
        code = churn.main(arguments, prog_name="churn", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", ExitCode.INTERRUPTED)
    except ProjectError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(mask(str(error)), ExitCode.FAILED)
    except MemoryError:
        _fail("not enough memory: use a smaller table", ExitCode.FAILED)
    except Exception as error:
        if not type(error).__module__.startswith(STORE_ERRORS):
            raise
        from helpers.tracking import explain, tracking_uri

        _fail(explain(tracking_uri(), error) or mask(f"MLflow: {error}"), ExitCode.FAILED)
    sys.exit(code or ExitCode.DONE)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    logging.disable()  # libraries log that their work was cut off; the message below is enough
    raise KeyboardInterrupt


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return the project's own warnings as one line, and those of libraries as Python formats them."""
    if issubclass(category, DataWarning):
        return f"Warning: {message}\n"
    return _python_format(message, category, filename, lineno, line)


def _fail(message: str, code: ExitCode) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)
