"""Parquet files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from helpers.data.typed_files import TypedFile
from helpers.errors import DataError


class ParquetFile(TypedFile):
    """A Parquet file; rows count from 1.

    Raises
    ------
    DataError
        If it is damaged.
    """

    kind = "Parquet"
    expression = "pd.read_parquet(data, dtype_backend='pyarrow')"

    def __init__(self, path: Path, fit: Callable[[Sequence[list[str]]], int]):
        from pyarrow import ArrowException, parquet

        self.name, self.assumed = path.name, []
        try:
            self._file = parquet.ParquetFile(path)
        except (ArrowException, OSError) as error:
            raise self._damaged(error) from None
        self._errors = (ArrowException, OSError, NotImplementedError)
        names = list(self._file.schema_arrow.names)
        self.first_line = ",".join(names)
        self.names = names if fit([names]) else []

    def _parts(self, columns: Sequence[str | None], rows: int) -> Iterator[pd.DataFrame]:
        kept = {own: name for own, name in zip(self.names, columns, strict=True) if name is not None}
        start = 1
        try:
            for batch in self._file.iter_batches(rows, columns=list(kept)):
                part = batch.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
                yield part.rename(columns=kept).set_axis(pd.RangeIndex(start, start + len(part)))
                start += len(part)
        except self._errors as error:
            raise self._damaged(error) from None
        if start == 1:
            yield pd.DataFrame(columns=list(kept.values()))

    def as_text(self, values: pd.Series) -> pd.Series:
        """Return a column as text; refuses numbers that the program which wrote them may have rounded."""
        digits = {"double": 53, "float": 24, "halffloat": 11}.get(str(values.dtype).removesuffix("[pyarrow]"))
        if digits:
            self._refuse_rounded(values, 2**digits, f"that a {values.dtype} may have rounded")
        return super().as_text(values)

    def _damaged(self, error: Exception) -> DataError:
        return DataError(
            f"{self.name} is a damaged Parquet file ({str(error)[:200]}). Export or copy it again."
        )
