"""What Linux reads has line ends of its own in every checkout, whatever core.autocrlf says."""

import subprocess

import pytest

from helpers.config import ROOT


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_files_that_linux_reads_are_checked_out_with_its_line_ends():
    files = git("ls-files").splitlines()
    linux = [
        name
        for name in files
        if name in ("Makefile", "MLproject", ".ci/run", ".dockerignore")
        or name.endswith((".sh", ".mk", ".yaml", ".yml", "Dockerfile", ".py"))
        or name.startswith("infra/")
    ]
    assert len(linux) > 50
    answers = git("check-attr", "eol", "--", *linux).splitlines()
    assert [line for line in answers if not line.endswith(": eol: lf")] == []
    assert git("check-attr", "text", "--", "data/bank_churn.csv").strip().endswith("text: unset")
