"""Python source that rebuilds an estimator: an expression, and the imports it needs."""

import inspect
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from helpers.errors import SettingError

_WIDTH = 100
_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}


class Expressions:
    """Writes values as Python expressions and collects the imports that they need.

    Attributes
    ----------
    imports : dict
        Public module by imported name.
    """

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}

    def write(self, value: Any, name: str = "value", indent: int = 0) -> str:
        """Return an expression that is equal to ``value``.

        Parameters
        ----------
        value : object
            An estimator, a function or class of a public module, or plain Python and NumPy values of these.
        name : str
            What it is, for the message.
        indent : int
            Of the line it stands on.

        Raises
        ------
        SettingError
            If it cannot be written, e.g. a lambda or a random generator.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, np.ndarray):
            self.imports["array"] = "numpy"
            return f"array({self.write(value.tolist(), name, indent)})"
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if value is None or type(value) in (bool, int, float, complex, str, bytes):
            return repr(value)
        if type(value) in (list, tuple, set) and value:
            opening, closing = _BRACKETS[type(value)]
            items = [self.write(item, name, indent + 4) for item in value]
            comma = "," if type(value) is tuple and len(items) == 1 else ""
            return _lay_out(opening, items, comma + closing, indent)
        if type(value) is dict:
            items = [
                f"{self.write(key, name)}: {self.write(item, name, indent + 4)}"
                for key, item in value.items()
            ]
            return _lay_out("{", items, "}", indent)
        if type(value) in (list, tuple, set, slice, range):
            return repr(value)
        if hasattr(value, "get_params") and not isinstance(value, type):
            items = [
                f"{key}={self.write(item, key, indent + 4)}"
                for key, item in changed_parameters(value).items()
            ]
            return _lay_out(f"{self._import(type(value), name)}(", items, ")", indent)
        if callable(value):
            return self._import(value, name)
        raise _unwritable(name, value)

    def _import(self, thing: Callable, name: str) -> str:
        short = getattr(thing, "__name__", "")
        module = public_module(thing)
        if module is None or self.imports.setdefault(short, module) != module:
            raise _unwritable(name, thing)
        return short


def changed_parameters(estimator: Any) -> dict[str, Any]:
    """Return the constructor parameters of an estimator that are not its defaults, in their order."""
    signature = inspect.signature(type(estimator)).parameters
    params = estimator.get_params(deep=False)
    ordered = [*(key for key in signature if key in params), *(key for key in params if key not in signature)]
    # A parameter behind **kwargs (XGBoost, LightGBM) has no default of its own: None leaves it to them.
    defaults = {key: signature[key].default if key in signature else None for key in params}
    return {key: params[key] for key in ordered if not _same(params[key], defaults[key])}


def public_module(thing: Callable) -> str | None:
    """Return the shortest public module that has a class or function under its name; None if there is none.

    ``sklearn.neighbors._classification.KNeighborsClassifier`` is in ``sklearn.neighbors``.
    """
    name, home = getattr(thing, "__name__", ""), getattr(thing, "__module__", None) or "numpy"
    parts = home.split(".")
    modules = [".".join(parts[: length + 1]) for length in range(len(parts))]
    for module in [*(path for path in modules if "._" not in path), home]:
        if module != "__main__" and getattr(sys.modules.get(module), name, None) is thing:
            return module
    return None


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, float) and isinstance(default, float) and math.isnan(value):
        return math.isnan(default)
    return value is default or (type(value) is type(default) and repr(value) == repr(default))


def _lay_out(opening: str, items: Iterable[str], closing: str, indent: int) -> str:
    items = list(items)
    line = f"{opening}{', '.join(items)}{closing}"
    if indent + len(line) <= _WIDTH and "\n" not in line:
        return line
    inner = " " * (indent + 4)
    return (
        f"{opening}\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent + closing.lstrip(",")
    )


def _unwritable(name: str, value: Any) -> SettingError:
    return SettingError(
        f"pipeline.py cannot hold the parameter {name!r} ({type(value).__name__} {value!r:.80}): "
        "use numbers, texts, estimators, functions and classes of a module; for random_state an integer"
    )
