"""The command line as a test calls it."""

import signal

import pytest

from helpers.cli import main

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def churn(*arguments: object) -> int:
    """Run ``churn`` in this process; return its exit code.

    Its signal handlers are taken back: a process that a later test forks would inherit them, and not end when
    it is terminated.
    """
    before = {number: signal.getsignal(number) for number in HANDLED}
    try:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return int(ended.value.code or 0)
