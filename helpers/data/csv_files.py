"""A CSV, read in a stream: its encoding and what is between its values are found out first."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from helpers.data.encodings import NAMES, UTF_8, find_encoding, text_blocks
from helpers.data.headers import split_line, stated_delimiter
from helpers.data.lines import DELIMITERS, Records
from helpers.data.numbers import COMMA, POINT
from helpers.data.raw_files import RawFile
from helpers.errors import DataError

ROWS = 20_000  # in a part of a table
_FIRST = 20  # lines by which a delimiter is judged
NOTHING: Mapping[str, list[str]] = MappingProxyType({})


class CsvFile:
    """A CSV.

    Parameters
    ----------
    raw : RawFile
    fit : callable
        Given the fields of the first lines with a delimiter, how well it fits; 0 if it does not. Of those
        that fit equally well, the first of `lines.DELIMITERS` is taken.

    Attributes
    ----------
    names : list of str
        The header; empty if no delimiter fits.
    first_line : str
        The header as it is written.
    open_end : (int, str) or None
        Once it is read: the number of the last line and its last value, if there is no line end.

    Raises
    ------
    DataError
        If it is not text, or begins with an unknown ``sep=``.
    """

    kind, place, is_typed = "CSV", "line", False

    def __init__(self, raw: RawFile, fit: Callable[[Sequence[list[str]]], int]):
        self.name, self._raw, self._encoding = raw.name, raw, find_encoding(raw)
        lines = next(text_blocks(raw, self._encoding), "").split("\n")
        stated = stated_delimiter(raw.name, lines[0])
        self._skipped = 1 if stated else 0
        self._start = lines[self._skipped :] or [""]
        self.first_line = self._start[0]
        first = self._start[:-1][:_FIRST] or self._start  # the last one may be cut off by the block
        fields = {
            delimiter: [split_line(line, delimiter) for line in first]
            for delimiter in ([stated] if stated else DELIMITERS)
        }
        fits = {delimiter: fit(lines) for delimiter, lines in fields.items()}
        self._delimiter = max(fits, key=lambda delimiter: fits[delimiter])
        self.names = fields[self._delimiter][0] if fits[self._delimiter] else []
        self.open_end: tuple[int, str] | None = None

    @property
    def assumed(self) -> list[str]:
        """Return in what it differs from the project's own files."""
        stated = ["a first line sep=,"] if self._skipped else []
        delimiter = stated if self._delimiter == COMMA else [f"{DELIMITERS[self._delimiter]} between values"]
        encoding = [NAMES.get(self._encoding, self._encoding.upper())] if self._encoding != UTF_8 else []
        return delimiter + encoding

    @property
    def expression(self) -> str:
        """Return how pandas alone reads it, every value as text, from the path ``data``."""
        options = {
            "sep": self._delimiter, "encoding": self._encoding, "skiprows": self._skipped, "dtype": "str",
            "keep_default_na": False, "compression": "gzip" if self.is_compressed else None,
        }  # fmt: skip
        return f"pd.read_csv(data, {', '.join(f'{name}={value!r}' for name, value in options.items())})"

    @property
    def is_compressed(self) -> bool:
        """Whether it is a gzip archive."""
        return self._raw.is_compressed

    @property
    def has_points_only(self) -> bool:
        """Whether no number can have a comma: commas are between values, and there are no quotes."""
        return self._delimiter == COMMA and not any('"' in line for line in self._start)

    def number_texts(self, columns: Sequence[str | None]) -> Iterator[pd.DataFrame]:
        """Yield the values of some columns as they are written; see `chunks`."""
        return self.chunks(columns, [name for name in columns if name is not None], rows=ROWS // 5)

    def chunks(
        self,
        columns: Sequence[str | None],
        texts: Collection[str],
        missing: Mapping[str, list[str]] = NOTHING,
        decimal: str = POINT,
        rows: int = ROWS,
    ) -> Iterator[pd.DataFrame]:
        """Yield the table in parts, at least one.

        Parameters
        ----------
        columns : sequence of str or None
            For each of `names`, what to call the column; None to leave it out.
        texts : collection of str
            Columns whose values are text; those of others are numbers where all in the part are.
        missing : mapping
            How a missing value may be written, by column.
        decimal : str
            The decimal mark.
        rows : int
            At most so many in a part.

        Yields
        ------
        DataFrame
            Row ``i`` of the index is line ``i + 2`` of the file.

        Raises
        ------
        DataError
            Where the file is broken; see `lines.Records`.
        """
        blocks = text_blocks(self._raw, self._encoding)
        records = Records(self.name, blocks, self._delimiter, self._skipped)
        names = [f"\0{place}" if name is None else name for place, name in enumerate(columns)]
        kept = [name for name in columns if name is not None]
        count = 0
        try:
            with pd.read_csv(
                records, sep=self._delimiter, decimal=decimal, header=0, names=names, usecols=kept,
                index_col=False, skip_blank_lines=False, keep_default_na=False, low_memory=False,
                chunksize=rows, dtype=dict.fromkeys(texts, "str"), na_values=dict(missing),
            ) as reader:  # fmt: skip
                for chunk in reader:
                    count += len(chunk)
                    yield chunk[kept].set_axis(_index(records.lines_of(np.asarray(chunk.index) + 1) - 2))
        except pd.errors.ParserError as error:
            raise DataError(f"{self.name} is not a well-formed CSV: {str(error).strip()}.") from None
        if count != records.count - 1:
            raise DataError(f"{self.name}: {records.count - 1} lines were read as {count} rows.")
        if not records.has_line_end:
            last = split_line(records.last_line, self._delimiter)
            self.open_end = int(records.lines_of(np.array([count]))[0]), last[-1] if last else ""


def _index(positions: np.ndarray) -> pd.Index:
    """Return an index that needs no memory where the lines follow each other."""
    if len(positions) and positions[-1] - positions[0] == len(positions) - 1:
        return pd.RangeIndex(int(positions[0]), int(positions[-1]) + 1)
    return pd.Index(positions)
