"""Errors have one base; exit codes are documented."""

import ast
import re

import pytest

from helpers import errors
from helpers.config import ROOT
from helpers.errors import ExitCode, ProjectError

ERRORS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, ProjectError)]


def test_readme_documents_every_exit_code():
    rows = re.findall(
        r"^\| (\d+) \| (?:done|failed|wrong|`churn|interrupted)", (ROOT / "README.md").read_text(), re.M
    )
    assert [int(code) for code in rows] == list(ExitCode)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_exits_with_a_failure(error):
    assert error.exit_code in set(ExitCode) - {ExitCode.DONE, ExitCode.INTERRUPTED}
    assert error.__doc__


def test_errors_are_defined_in_one_module():
    for path in (ROOT / "helpers").rglob("*.py"):
        # The search is a library of its own; MLflow's server answers 400 only for an exception of MLflow's.
        if "search" in path.parts or path.name in ("errors.py", "served_model.py", "request_body.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            assert not any(base.endswith(("Error", "Exception")) for base in bases), f"{path}: {node.name}"
