"""The lines of a CSV against its rows: every value on one line, every line with all its fields.

pandas alone would read on: an unclosed quote takes in every line up to the next quote, and a line that was
cut off gets missing values.
"""

import csv
import io
import re
from array import array
from collections.abc import Iterator
from itertools import chain

import numpy as np

from helpers.errors import DataError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')


class Records(io.TextIOBase):
    """A CSV for pandas to read from, block by block: its lines checked, the blank ones left out.

    Parameters
    ----------
    name : str
        What to call the file in an error.
    blocks : iterator of str
        The text, with LF as line end.
    delimiter : str
        One of `DELIMITERS`.
    skipped : int
        Lines above the header.

    Raises
    ------
    DataError
        While reading: if a quote is not closed on its line, a value is too long for `csv`, or a line has more
        or fewer fields than the header. The message names the line and what to do.

    Attributes
    ----------
    count : int
        How many records have been read, with the header.
    last_line : str
        The last of them.
    has_line_end : bool
        Whether the file ends with a line end; known at its end.
    """

    def __init__(self, name: str, blocks: Iterator[str], delimiter: str, skipped: int = 0):
        self._name, self._blocks, self._delimiter = name, blocks, delimiter
        self._blank = f" \t{delimiter}"
        self._skipped, self._width = skipped, 0
        self._next_line, self._unfinished = 1, ""
        # From a record on, so many lines above it are no records.
        self._from, self._others, self.count = array("q", [0]), array("q", [skipped]), 0
        self.last_line, self.has_line_end = "", True

    def read(self, size: int | None = -1) -> str:
        """Return the next records, at least one unless there are no more, whatever the size."""
        for block in self._blocks:
            text = self._unfinished + block
            end = text.rfind("\n") + 1
            self._unfinished = text[end:]
            if end and (records := self._check(text[: end - 1].split("\n"))):
                return records
        last, self._unfinished = self._unfinished, ""
        if not last:
            return ""
        self.has_line_end = self._is_blank(last)
        return self._check([last])

    def lines_of(self, records: np.ndarray) -> np.ndarray:
        """Return the lines, from 1, of some records; the header is record 0."""
        place = np.searchsorted(np.array(self._from), records, side="right") - 1
        return records + 1 + np.array(self._others)[place]

    def _check(self, lines: list[str]) -> str:
        """Return the records among some lines, each with a line end."""
        start = self._next_line
        self._next_line += len(lines)
        if start <= self._skipped:
            lines, start = lines[self._skipped - start + 1 :], self._skipped + 1
        widths = self._widths(lines, start)
        records = [line for line in lines if not self._is_blank(line)]
        if len(records) < len(lines):
            self._note_blank(lines)
        if not records:
            return ""
        self._width = self._width or widths[lines.index(records[0])]
        if set(widths) != {self._width}:
            for number, (line, width) in enumerate(zip(lines, widths, strict=True), start):
                if width != self._width and not self._is_blank(line):
                    raise DataError(f"{self._name}: {self._wrong_width(number, width)}")
        self.count += len(records)
        self.last_line = records[-1]
        return "\n".join([*records, ""])

    def _is_blank(self, line: str) -> bool:
        return line[:1] in self._blank and not line.strip(self._blank)

    def _note_blank(self, lines: list[str]) -> None:
        record, others = self.count, self._others[-1]
        for line in lines:
            if not self._is_blank(line):
                record += 1
                continue
            others += 1
            if record == self._from[-1]:
                self._others[-1] = others
            else:
                self._from.append(record)
                self._others.append(others)

    def _widths(self, lines: list[str], start: int) -> list[int]:
        """Return each line's number of fields."""
        if not any('"' in line for line in lines):
            return [line.count(self._delimiter) + 1 for line in lines]
        reader, widths = csv.reader(lines, delimiter=self._delimiter, strict=True), list[int]()
        try:
            for row in reader:
                if reader.line_num > len(widths) + 1:
                    break
                widths.append(len(row))
        except csv.Error:
            longest = csv.field_size_limit()
            if reader.line_num == len(widths) + 1 and len(lines[len(widths)]) > longest:
                raise DataError(
                    f"{self._name}: line {start + len(widths)} has a value of more than {longest:,} "
                    "characters. Correct it."
                ) from None
        if len(widths) < len(lines):
            broken = len(widths)
            problem = self._broken_quote(lines[broken], lines[broken + 1 :], start + broken)
            raise DataError(f"{self._name}: {problem}")
        return widths

    def _wrong_width(self, number: int, found: int) -> str:
        fields = f"line {number} has {found} fields, the header {self._width}"
        if found > self._width:
            return f"{fields}. Check the {DELIMITERS[self._delimiter]} and quotes."
        if number == self._next_line - 1 and not self._unfinished and not any(self._blocks):
            return f"the last line is cut off: {fields}. Export or copy the file again."
        return f"{fields}: it may have been cut off. Complete it, or export the file again."

    def _broken_quote(self, line: str, following: list[str], number: int) -> str:
        """Describe what is wrong with the quotes of a line, given some of the lines that follow."""
        advice = 'Close or remove it; a quote inside a quoted value is written twice ("").'
        position = 0
        while position < len(line):
            if line[position] == '"':
                quoted = _QUOTED.match(line, position)
                if quoted is None:
                    swallowed, until = self._swallowed(following)
                    if not swallowed:
                        break
                    count = "1 line" if swallowed == 1 else f"{swallowed} lines"
                    return (
                        f"a quote opens on line {number} and is not closed there: it swallows {count}, "
                        f"up to line {number + swallowed}{until}. {advice} A value cannot contain a line "
                        "break."
                    )
                position = quoted.end()
                if line[position : position + 1] not in ("", self._delimiter):
                    break
            position = line.find(self._delimiter, position) + 1 or len(line)
        return f"a quote on line {number} does not enclose a whole value. {advice}"

    def _swallowed(self, following: list[str]) -> tuple[int, str]:
        """Return how many lines an open quote takes in, and a remark if it is all of them."""
        count, line_ends = 0, 0
        read = "\n".join(["", *following, self._unfinished])
        for text in chain([read], self._blocks):
            closing = text.replace('""', "  ").find('"')
            swallowed = text if closing < 0 else text[: closing + 1]
            content = swallowed.rstrip("\n")
            if content:
                count += line_ends + content.count("\n")
                line_ends = 0
            line_ends += len(swallowed) - len(content)
            if closing >= 0:
                return count, ""
        return count, ", the end of the file"
