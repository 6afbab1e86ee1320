"""A user's own algorithms: those of installed packages, and those of a Python file."""

import importlib.util
import keyword
import os
import re
import sys
import traceback
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType

from helpers.errors import SettingError
from helpers.training.entries import Algorithm, check_entry
from helpers.variables import PathVariable

VARIABLE = PathVariable("CHURN_ALGORITHMS")
GROUP = "churn.algorithms"


def chosen_algorithms() -> dict[str, str]:
    """Return the notebook parameter ``algorithms`` that chooses the file in use; empty if there is none."""
    return {"algorithms": str(path)} if (path := VARIABLE.path) else {}


def own_algorithms() -> list[tuple[str, dict[str, Algorithm]]]:
    """Return the sources of the user's algorithms, each with its entries by name, which are checked.

    Raises
    ------
    SettingError
        If a source cannot be imported, or an entry does not have what it needs.
    """
    found = _from_packages()
    if path := VARIABLE.path:
        found = [*found, (str(path), _entries_of(_import(path)))]
    return found


def own_types() -> set[str]:
    """Return the types that the user's algorithms trust: named by an entry, or defined in the file.

    Raises
    ------
    SettingError
        See `own_algorithms`.
    """
    types = {
        name for _, entries in own_algorithms() for entry in entries.values() for name in entry.trusted_types
    }
    if path := VARIABLE.path:
        module = _import(path)
        defined = (
            thing
            for thing in vars(module).values()
            if isinstance(thing, type | FunctionType) and thing.__module__ == module.__name__
        )
        types |= {f"{module.__name__}.{thing.__name__}" for thing in defined}
    return types


def file_with(types: Iterable[str]) -> Path | None:
    """Return the user's file if it defines one of these types, else None."""
    path = VARIABLE.path
    return path if path and any(name.partition(".")[0] == path.stem for name in types) else None


@cache
def _from_packages() -> list[tuple[str, dict[str, Algorithm]]]:
    return [_from_package(entry_point) for entry_point in entry_points(group=GROUP)]


def _from_package(entry_point: EntryPoint) -> tuple[str, dict[str, Algorithm]]:
    package = entry_point.dist.name if entry_point.dist else entry_point.module
    source = f"entry point {entry_point.name} of the package {package}"
    try:
        entry = entry_point.load()
    except Exception as error:
        raise SettingError(f"{source} cannot be loaded: {_in_words(error)}") from error
    return source, _checked(source, {entry_point.name: entry})


@lru_cache(maxsize=1)
def _entries_of(module: ModuleType) -> dict[str, Algorithm]:
    entries, path = getattr(module, "ALGORITHMS", None), str(module.__file__)
    try:
        if not isinstance(entries, dict) or not entries:
            raise SettingError(f'{path} has no ALGORITHMS = {{"name": Algorithm(title, estimator, grid)}}')
        return _checked(path, entries)
    except SettingError:
        del sys.modules[module.__name__]  # to be imported again when it is repaired
        raise


def _checked(source: str, entries: dict[str, Algorithm]) -> dict[str, Algorithm]:
    for name, entry in entries.items():
        try:
            check_entry(name, entry)
        except SettingError as error:
            raise SettingError(f"{source}: algorithm {name!r}: {error}") from error.__cause__
        except Exception as error:  # whatever an estimator's own methods raise
            raise SettingError(f"{source}: algorithm {name!r}: {_in_words(error)}") from error
    return entries


def _import(path: Path) -> ModuleType:
    """Import the file under its own name, by which a stored model names its types; once per process."""
    name = path.stem
    if not path.is_file():
        raise SettingError(f"no file of algorithms {path}: check the path ({VARIABLE.name}, --algorithms)")
    if path.suffix != ".py" or not re.fullmatch(r"[A-Za-z]\w*", name) or keyword.iskeyword(name):
        raise SettingError(f"{path} cannot be imported: name it like a Python module, as in my_models.py")
    module = sys.modules.get(name)
    if module and _is_same(path, getattr(module, "__file__", None)):
        return module
    if module or name in sys.stdlib_module_names or _is_installed(name, path):
        raise SettingError(
            f"{path} has the name of the module {name}, which is there already: rename the file"
        )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise SettingError(f"{path}{_line(path, error)}: {_in_words(error)}") from error
    return module


def _is_installed(name: str, path: Path) -> bool:
    """Return whether a module of this name is elsewhere: the file's own folder may be the current one."""
    elsewhere = [folder for folder in sys.path if not _is_same(path.parent, folder or os.curdir)]
    spec = PathFinder.find_spec(name, elsewhere)
    return spec is not None and spec.origin is not None  # a folder without modules has none


def _is_same(path: Path, file: str | None) -> bool:
    return file is not None and os.path.exists(file) and path.samefile(file)


def _line(path: Path, error: BaseException) -> str:
    """Return the line of the file at which an import ended, as words."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f", line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {frames[-1].lineno}" if frames else ""


def _in_words(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"needs the package {package}, which is not installed: pip install {package}"
    if isinstance(error, SyntaxError):
        return f"not Python: {error.msg}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
