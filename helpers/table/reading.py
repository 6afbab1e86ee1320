"""Read a table's description; which one is in use."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from helpers.config import ROOT
from helpers.errors import DescriptionError
from helpers.table.description import TableDescription
from helpers.table.problems import problems_of
from helpers.variables import PathVariable

# In a checkout it is beside its samples; the installed package has a copy.
BANK = ROOT / "data" / "bank_churn.yaml"
if not BANK.is_file():
    BANK = Path(__file__).with_name("bank_churn.yaml")
VARIABLE = PathVariable("CHURN_TABLE")


class _Loader(yaml.BaseLoader):
    """Reads every value as text, as it is in the table: ``No`` is a category, not false; keys are unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return a mapping; YAML's readers take the last of two values for one key."""
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value!r} is there twice: keep one", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def current_table() -> TableDescription:
    """Return the description in use: the variable ``CHURN_TABLE``, else the bank's.

    One per process, as MLflow's store is; kernels and servers that are started inherit it.

    Raises
    ------
    DescriptionError
        See `read_description`.
    """
    path = description_path()
    return _read_once(path, path.stat().st_mtime_ns if path.is_file() else 0)


def description_path() -> Path:
    """Return the file of the description in use."""
    return VARIABLE.path or BANK


def chosen_table() -> dict[str, str]:
    """Return the notebook parameter ``table`` that chooses the description in use; empty for the bank's."""
    return {"table": str(path)} if (path := VARIABLE.path) else {}


def use_table(path: str | os.PathLike | None) -> TableDescription:
    """Use a description from here on, in this process and those it starts.

    Parameters
    ----------
    path : path or None
        None for the description that the process started with: an earlier call no longer counts.

    Raises
    ------
    DescriptionError
        See `read_description`.
    """
    return VARIABLE.use(path, current_table)


@lru_cache(maxsize=16)
def _read_once(path: Path, changed: int) -> TableDescription:
    return read_description(path)


def read_description(path: str | os.PathLike) -> TableDescription:
    """Read and check a description.

    Raises
    ------
    DescriptionError
        If there is no such file, it is not YAML, or has unknown, missing or contradictory keys. One message
        lists every problem, each with its place: ``features.Age.range``.
    """
    path = Path(path)
    content = _content(path)
    if not isinstance(content, dict):
        kind = "is empty" if content is None else "has no keys at its top"
        raise DescriptionError(f"{path} {kind}: draft a description with `churn describe customers.csv`.")
    if isinstance(samples := content.get("samples"), dict):
        samples |= {key: str(path.parent / value) for key, value in samples.items() if isinstance(value, str)}
    try:
        return TableDescription.model_validate(content)
    except ValidationError as error:
        raise DescriptionError(f"{path} is not a usable description:\n  - {problems_of(error)}") from None


def _content(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except OSError as error:
        raise DescriptionError(
            f"cannot read the table's description {path}: {error.strerror}. Check the path ({VARIABLE.name})."
        ) from None
    except UnicodeDecodeError:
        raise DescriptionError(f"{path} is not UTF-8 text: save it as such.") from None
    except yaml.MarkedYAMLError as error:
        raise DescriptionError(f"{path}, line {error.problem_mark.line + 1}: {_in_words(error)}.") from None
    except yaml.reader.ReaderError as error:
        raise DescriptionError(f"{path} is not YAML: character #{error.character:02x} is in it.") from None


def _in_words(error: yaml.MarkedYAMLError) -> str:
    if type(error) is yaml.MarkedYAMLError:  # the project's own
        return str(error.problem)
    context = f"{error.context}, " if error.context else ""
    return f"not YAML, {context}{error.problem}. Close every bracket and quote; quote a text with : or #"
