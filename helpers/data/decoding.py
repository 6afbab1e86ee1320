"""The text of a CSV, or which other format a file has."""

import codecs

from helpers.errors import DataError

# First bytes of files that are passed by mistake.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    **{mark: "UTF-32 text" for mark in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)},
    **{mark: "UTF-16 text" for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)},
    b"<": "HTML or XML",
    b"{": "JSON",
    b"[": "JSON",
}


def decode(name: str, content: bytes) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises
    ------
    DataError
        If it is empty, or not such text; the message names the format where it is known.
    """
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise DataError(f"{name} is empty. Give a CSV with a header and one line per customer.")
    for magic, format_name in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise DataError(
                f"{name} is not a CSV but {format_name}. Save it as CSV (UTF-8, comma-separated)."
            )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name} is not UTF-8 text (line {line}). Save it as CSV (UTF-8).") from None
    if "\0" in text:
        format_name = _unmarked_encoding(content) or "a binary file"
        raise DataError(f"{name} is not a CSV but {format_name}. Save it as CSV (UTF-8, comma-separated).")
    return text


def _unmarked_encoding(content: bytes) -> str | None:
    """Return the encoding of a text without a byte order mark: most of a table is ASCII."""
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        start = content[:1000].decode(encoding, errors="ignore")
        readable = sum(character.isascii() and character.isprintable() for character in start)
        if readable > len(start) / 2:
            return f"{encoding[:6].upper()} text"
    return None
