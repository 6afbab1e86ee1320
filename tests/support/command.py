"""The command line as a test calls it."""

import pytest

from helpers.cli import main


def churn(*arguments: object) -> int:
    """Run ``churn`` in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)
