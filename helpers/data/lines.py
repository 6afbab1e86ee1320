"""The lines of a CSV against its rows: every value on one line, every line with all its fields.

pandas alone would read on: an unclosed quote takes in every line up to the next quote, and a line that was
cut off gets missing values.
"""

import csv
import io
import re

from helpers.errors import DataError

_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
_UNQUOTED = re.compile(r"[^,\n]*")
_BLANK = " \t,"


def numbered_records(name: str, text: str, multiline: bool = False) -> tuple[str, list[int]]:
    """Return a CSV without its blank lines, and the line that each record begins on, from 1.

    Parameters
    ----------
    name : str
        What to call the file in an error.
    text : str
        Beginning with the header; LF, CRLF or CR line ends.
    multiline : bool
        Whether a quoted value may contain line breaks.

    Raises
    ------
    DataError
        If a quote is not closed on its line, a value is too long for `csv`, or a line has more or fewer
        fields than the header. The message names the line and what to do.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    if '"' in text:
        ends, widths = _read_quoted(name, lines, multiline)
    else:
        ends, widths = list(range(1, len(lines) + 1)), [line.count(",") + 1 for line in lines]
    starts = [0, *ends[:-1]]
    blank = {start for start in starts if lines[start][:1] in _BLANK and not lines[start].strip(_BLANK)}
    if len(set(widths)) > 1:
        for start, end, width in zip(starts, ends, widths, strict=True):
            if width != widths[0] and start not in blank:
                raise DataError(f"{name}: {_wrong_width(start, width, widths[0], end == len(lines))}")
    if blank:
        kept = (line for number, line in enumerate(io.StringIO(text, newline="")) if number not in blank)
        text = "".join(kept)
    return text, [start + 1 for start in starts if start not in blank]


def _read_quoted(name: str, lines: list[str], multiline: bool) -> tuple[list[int], list[int]]:
    """Return the line after each record's last one, from 0, and each record's number of fields."""
    reader, ends, widths = csv.reader(lines, strict=True), [0], []
    try:
        for row in reader:
            if reader.line_num > ends[-1] + 1 and not multiline:
                raise DataError(_open_quote(name, lines, ends[-1], multiline))
            ends.append(reader.line_num)
            widths.append(len(row))
    except csv.Error:
        start, longest = ends[-1], csv.field_size_limit()
        if reader.line_num == start + 1 and len(lines[start]) > longest:
            raise DataError(
                f"{name}: line {start + 1} has a value of more than {longest:,} characters. Correct it."
            ) from None
        raise DataError(_open_quote(name, lines, start, multiline)) from None
    return ends[1:], widths


def _wrong_width(start: int, found: int, expected: int, last: bool) -> str:
    fields = f"line {start + 1} has {found} fields, the header {expected}"
    if found > expected:
        return f"{fields}. Check the commas and quotes."
    if last:
        return f"the last line is cut off: {fields}. Export or copy the file again."
    return f"{fields}: it may have been cut off. Complete it, or export the file again."


def _open_quote(name: str, lines: list[str], start: int, multiline: bool) -> str:
    """Describe what is wrong with the quotes of the record that begins at a line, from 0."""
    text, position, line = "\n".join(lines[start:]).rstrip("\n"), 0, start + 1
    advice = 'Close or remove it; a quote inside a quoted value is written twice ("").'
    while position < len(text):
        if text[position] != '"':
            position += len(_UNQUOTED.match(text, position)[0]) + 1  # type: ignore[index]  # always matches
            continue
        quoted = _QUOTED.match(text, position)
        end = quoted.end() if quoted else len(text)
        swallowed = text.count("\n", position, end)
        if swallowed and not (quoted and multiline):
            count = "1 line" if swallowed == 1 else f"{swallowed} lines"
            until = f"up to line {line + swallowed}" + ("" if quoted else ", the end of the file")
            return (
                f"{name}: a quote opens on line {line} and is not closed there: it swallows {count}, "
                f"{until}. {advice} A value cannot contain a line break."
            )
        if text[end : end + 1] != ",":
            break
        position, line = end + 1, line + swallowed
    return f"{name}: a quote on line {line} does not enclose a whole value. {advice}"
