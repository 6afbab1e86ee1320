"""The bytes of a file, block by block, and uncompressed."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from helpers.errors import DataError

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 18  # bytes


@dataclass(frozen=True)
class RawFile:
    """A file, or bytes in its place, that is read from its beginning as often as needed.

    Attributes
    ----------
    name : str
        What to call it in an error.
    content : path or bytes
        A file may be compressed with gzip.
    """

    name: str
    content: Path | bytes

    @cached_property
    def is_compressed(self) -> bool:
        """Whether it is a gzip archive."""
        if isinstance(self.content, bytes):
            return False
        try:
            with self.content.open("rb") as stream:
                return stream.read(len(_GZIP)) == _GZIP
        except OSError as error:
            raise self._unreadable(error) from None

    def start(self, length: int = _BLOCK) -> bytes:
        """Return the first bytes, or fewer if there are no more.

        Raises
        ------
        DataError
            If the file cannot be read, or is a damaged archive.
        """
        return next(self._read(length), b"")

    def blocks(self) -> Iterator[bytes]:
        """Yield all bytes; raises as `start`."""
        return self._read(_BLOCK)

    def _read(self, length: int) -> Iterator[bytes]:
        try:
            with self._open() as stream:
                while block := stream.read(length):
                    yield block
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DataError(
                f"{self.name} is a gzip archive that is damaged or cut off. Export or copy it again."
            ) from None
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> DataError:
        return DataError(f"cannot read {self.content!s}: {error.strerror}.")

    def _open(self) -> BinaryIO:
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        return gzip.open(self.content) if self.is_compressed else self.content.open("rb")  # type: ignore[return-value]
