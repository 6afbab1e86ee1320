"""Files: fingerprints, checks of outputs before the work, and atomic writes."""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from helpers.errors import SettingError

Kind = Callable[[Path], bool]
"""Tells whether an existing file is an earlier output of the same kind, so that it may be replaced."""


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def begins_with(start: str) -> Kind:
    """Return the kind of files that begin with a text, for example the header of a CSV."""
    expected = start.encode()

    def is_of_kind(path: Path) -> bool:
        with open(path, "rb") as file:
            return file.read(len(expected)) == expected

    return is_of_kind


def check_output(path: Path, kind: Kind) -> Path:
    """Check that a file can be written, before the work whose result it shall hold.

    Parameters
    ----------
    path : Path
        Neither it nor its folder need to exist.
    kind : callable
        Of the output: an existing file that is neither empty nor of this kind is not replaced.

    Returns
    -------
    Path
        The file itself, where ``path`` is a symbolic link to it.

    Raises
    ------
    SettingError
        If the path is a URL, a folder, a device, a pipe or another program's file, or cannot be written.
    """
    if url := as_url(path):
        raise SettingError(f"{url} is a URL: name a local file to write, and copy from there")
    try:
        _refuse_special(path)
        target = Path(os.path.realpath(path))
        replaced = target.exists()
        of_kind = not replaced or not target.stat().st_size or kind(target)
    except OSError as error:
        raise SettingError(f"{path} cannot be written ({error.strerror})") from None
    if not of_kind:
        raise SettingError(
            f"{path} exists and is not an earlier output of this kind: it is not replaced. Name another file "
            "to write, or remove it first"
        )
    if replaced and not os.access(target, os.W_OK):
        raise SettingError(f"{path} is read-only: name another file to write")
    check_folder(target.parent)
    return target


def check_folder(folder: Path) -> None:
    """Check that files can be made in a folder, or in the nearest one that exists above it.

    Raises
    ------
    SettingError
        If it is a URL, something other than a folder, or cannot be written.
    """
    if url := as_url(folder):
        raise SettingError(f"{url} is a URL: name a local folder, and copy from there")
    if _in_proc(folder / "file"):
        raise SettingError(f"{folder} is not a folder of files: name another one")
    existing = folder
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        raise SettingError(f"{folder} cannot be written ({existing} is not a folder)")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SettingError(f"{folder} cannot be written (no right to write in {existing})")


def write_atomically(path: Path, content: bytes, kind: Kind) -> None:
    """Write to a temporary file and rename it into place: no reader ever sees part of the content.

    Parameters
    ----------
    path : Path
        Its folder is created if missing. A symbolic link is followed. A file that is replaced keeps its mode
        and owner.
    content : bytes
    kind : callable
        See `check_output`.

    Raises
    ------
    SettingError
        See `check_output`.
    """
    path = check_output(path, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        _copy_rights(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def as_url(path: Path) -> str | None:
    """Return the URL ``s3://bucket/file`` that was given as a path, of which `Path` keeps one slash."""
    match = re.fullmatch(r"(?:.*/)?([A-Za-z][\w+.-]+):/(.*)", str(path))
    slashes = "/" if match and match[1] in ("file", "models", "runs") else "//"
    return match and f"{match[1]}:{slashes}{match[2]}"


def _refuse_special(path: Path) -> None:
    """Refuse what is no regular file, and what only the kernel has a name for, like ``/dev/stdout``."""
    if "\0" in str(path):
        raise SettingError(f"{path} has a null character: name a file to write")
    special = False
    with suppress(FileNotFoundError):
        special = not stat.S_ISREG(os.stat(path).st_mode)
    link = path
    while link.is_symlink():
        special = special or _in_proc(link)
        link = link.parent / link.readlink()
    if special or _in_proc(link):
        raise SettingError(f"{path} is not a file: name a file to write")


def _in_proc(path: Path) -> bool:
    return Path(os.path.realpath(path.parent)).is_relative_to("/proc")


def _copy_rights(path: Path, temporary: str) -> None:
    """Give a file the mode and owner of the one it replaces, or those of a new file."""
    try:
        before = path.stat()
    except FileNotFoundError:
        os.chmod(temporary, 0o666 & ~_umask())
        return
    with suppress(PermissionError):  # only root gives files away
        os.chown(temporary, before.st_uid, before.st_gid)
    os.chmod(temporary, before.st_mode & 0o777)


def _umask() -> int:
    """Return the process's umask; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
