"""The text of a CSV: in which encoding it is, or which other format the file has."""

import codecs
import io
import re
from collections.abc import Iterator

from helpers.data.raw_files import RawFile
from helpers.errors import DataError

UTF_8, WINDOWS = "utf-8-sig", "cp1252"
NAMES = {UTF_8: "UTF-8", WINDOWS: "Windows-1252"}

# First bytes of files that are passed by mistake.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive within another",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"<": "HTML or XML",
    b"{": "JSON",
}
_JSON_LIST = re.compile(rb'\[\s*[\[{"\d-]')
_MARKS = {  # UTF-32's begins with UTF-16's
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_UNMARKED = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
# What no text of Western Europe has in Windows-1252: bytes without a meaning; three letters with accents in a
# row, as other alphabets have; a mark that never follows a letter, or is never between two; a capital letter
# with a caron or a diaeresis within a word; a letter in UTF-8.
_LETTER = rb"[A-Za-z\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xff]"
_NOT_WINDOWS = re.compile(
    rb"[\x81\x8d\x8f\x90\x9d]|[\xc0-\xff]{3}|[A-Za-z\x80-\xff][\x82\x84\x88\x8b\x98]|"
    + _LETTER
    + rb"[\x80\x83\x89\x93-\x95\x99\x9b\xa1-\xa9\xab\xac\xae\xaf\xb1-\xb3\xb6\xb8\xb9\xbb-\xbf]"
    + _LETTER
    + rb"|[a-z][\x8a\x8e\x9f]|[A-Z\xc0-\xff][\x8a\x8e\x9f][a-z]"
    rb"|[\xc3-\xc5][\x80-\x84\x86-\x90\x95\x98\x9a-\x9f\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf]"
)


def find_encoding(raw: RawFile) -> str:
    """Return the encoding of a text, as Python calls it.

    A byte order mark decides; else text that is valid UTF-8 is UTF-8, and other text of Western Europe is
    Windows-1252, in which Excel exports there.

    Raises
    ------
    DataError
        If the file is empty, or not text; the message names the format where it is known.
    """
    start = raw.start()
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise DataError(f"{raw.name} is empty. Give a CSV with a header and one line per customer.")
    for magic, format_name in _OTHER_FORMATS.items():
        if text.startswith(magic):
            raise DataError(f"{raw.name} is not a CSV but {format_name}. Save it as CSV.")
    if _JSON_LIST.match(text):
        raise DataError(f"{raw.name} is not a CSV but JSON. Save it as CSV.")
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if encoding is None and b"\0" in start:
        encoding = next((name for name in _UNMARKED if _is_readable(start[:1000], name)), None)
    if encoding not in (None, UTF_8):
        return encoding
    line = _first_broken_line(raw)
    if line is None:
        return UTF_8
    if encoding == UTF_8 or not _is_windows(raw):
        raise DataError(
            f"{raw.name} is not UTF-8 text (line {line}), and not text in another encoding that can be told "
            "apart. Save it as CSV (UTF-8)."
        )
    return WINDOWS


def text_blocks(raw: RawFile, encoding: str) -> Iterator[str]:
    """Yield a text block by block, with LF as line end, without a byte order mark.

    Raises
    ------
    DataError
        If something in it is not text.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    try:
        for block in raw.blocks():
            text = decoder.decode(block)
            if "\0" in text:
                raise DataError(f"{raw.name} is not a CSV but a binary file. Save the table as CSV (UTF-8).")
            yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        name = NAMES.get(encoding, encoding.upper())
        raise DataError(
            f"{raw.name} is not {name} to its end: it is damaged or was cut off. Export or copy it again."
        ) from None


def _first_broken_line(raw: RawFile) -> int | None:
    """Return the first line, from 1, that is not UTF-8; None if there is none."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    try:
        for block in raw.blocks():
            decoder.decode(block)
            line += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return line + error.object[: error.start].count(b"\n")
    return None


def _is_windows(raw: RawFile) -> bool:
    """Tell whether a text that is not UTF-8 can only be Windows-1252 (or Latin 1, a part of it)."""
    end = b""
    for block in raw.blocks():
        if _NOT_WINDOWS.search(end + block):
            return False
        end = block[-2:]
    return True


def _is_readable(start: bytes, encoding: str) -> bool:
    """Tell whether a text without a byte order mark has an encoding: most of a table is ASCII."""
    text = start.decode(encoding, errors="ignore")
    return sum(character.isascii() and character.isprintable() for character in text) > len(text) / 2
