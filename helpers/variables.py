"""Environment variables with the path of a file that a process uses, and all those that it starts."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from helpers.config import ROOT

T = TypeVar("T")


class PathVariable:
    """Such a variable.

    A relative path is tried from the current folder, then from the project's root, and made absolute in the
    variable: kernels start in another folder.

    Parameters
    ----------
    name : str
        E.g. ``CHURN_TABLE``.
    """

    def __init__(self, name: str):
        self.name = name
        self._before_use: list[str | None] = []

    @property
    def path(self) -> Path | None:
        """Return the path, which may be of no file; None if the variable is not set."""
        if not (given := os.environ.get(self.name)):
            return None
        path = Path(os.path.expanduser(given))
        if not path.is_absolute():
            path = next((folder / path for folder in (Path.cwd(), ROOT) if (folder / path).is_file()), path)
            if path.is_absolute():
                os.environ[self.name] = str(path)
        return path

    def use(self, path: str | os.PathLike | None, load: Callable[[], T]) -> T:
        """Set the variable and return what ``load`` returns; if that fails, nothing has changed.

        Parameters
        ----------
        path : path or None
            None for what the process started with: an earlier call no longer counts.
        load : callable
            Loads the file.
        """
        before = os.environ.get(self.name)
        if path:
            self._before_use = self._before_use or [before]
            self._set(os.fspath(path))
        elif self._before_use:
            self._set(self._before_use[0])
        try:
            return load()
        except Exception:
            self._set(before)
            raise

    def reset(self) -> None:
        """Set the variable to what the process started with."""
        if self._before_use:
            self._set(self._before_use.pop())

    def _set(self, value: str | None) -> None:
        os.environ.pop(self.name, None)
        if value is not None:
            os.environ[self.name] = value
