"""Files: fingerprints and atomic writes."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file and rename it into place: no reader ever sees part of the content.

    Parameters
    ----------
    path : Path
        Its folder is created if missing; an existing file is replaced.
    content : bytes
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp makes it readable for its owner only
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
