"""Files of many blocks and parts: every row knows its line, and memory is bounded."""

import subprocess
import sys

import pytest

from helpers.data import load, load_sound
from helpers.errors import DataError
from tests.support.exports import HEADER, LINES


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lines_are_counted_across_blocks(ends, tmp_path):
    """With blank lines and quotes, in a file of many blocks and parts."""
    rows = [line.split(",") for line in LINES[1:]] * 200
    lines = [f'{n},{n},"{row[2]}, {n}",{",".join(row[3:])}' for n, row in enumerate(rows)]
    for at in range(0, len(lines), 7):
        lines[at] += ends
    lines[70_001] = (
        lines[70_001].replace("France", "Utopia").replace("Spain", "Utopia").replace("Germany", "Utopia")
    )
    path = tmp_path / "many.csv"
    path.write_bytes(ends.join([HEADER, *lines, ""]).encode())
    table, reasons = load_sound(path)
    assert len(table) == len(rows) - 1 and table["Surname"].iloc[-1].endswith(f", {len(rows) - 1}")
    (line,) = reasons.index
    assert "Utopia" in path.read_bytes().split(ends.encode())[line - 1].decode()
    lines[75_000] = lines[75_000].replace('"', "", 1)
    path.write_bytes(ends.join([HEADER, *lines, ""]).encode())
    line = 1 + next(n for n, text in enumerate(path.read_text().split("\n")) if text.startswith("75000,"))
    with pytest.raises(DataError, match=f"line {line} has 15 fields, the header 14"):
        load(path)


def test_reading_takes_little_more_memory_than_the_table(tmp_path):
    """Of a file of 20 MB: it took nine times the file before, the table takes two."""
    rows = [line.split(",", 2)[2] for line in LINES[1:]] * 750
    path = tmp_path / "many.csv"
    path.write_text("\n".join([HEADER, *(f"{n},{n},{row}" for n, row in enumerate(rows)), ""]))
    used = subprocess.run(
        [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
    ).stdout
    assert float(used) < 4 * path.stat().st_size


MEASURE = """
import resource, sys
from helpers.data import load
load()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
load(sys.argv[1])
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""
