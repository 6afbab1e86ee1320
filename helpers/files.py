"""Files: fingerprints and atomic writes."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from helpers.errors import SettingError


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file and rename it into place: no reader ever sees part of the content.

    Parameters
    ----------
    path : Path
        Its folder is created if missing. An existing file is replaced; a symbolic link is followed.
    content : bytes

    Raises
    ------
    SettingError
        If the path is a folder, a device or anything else that is not a file.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise SettingError(f"{path} is not a file: name a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())  # as `open` does; mkstemp's are for the owner only
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    """Return the process's umask; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
