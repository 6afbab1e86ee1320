"""openpyxl, which is optional."""

from importlib.util import find_spec

from tests.support.servers import missing


def need_openpyxl() -> None:
    """Skip the test, or fail it in CI, if Excel workbooks cannot be read."""
    if find_spec("openpyxl") is None:
        missing("openpyxl", "pip install -e '.[excel]' -c constraints.txt")
