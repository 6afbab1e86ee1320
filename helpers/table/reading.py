"""Read a table's description; which one is in use."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from helpers.config import ROOT
from helpers.errors import DescriptionError
from helpers.table.description import TableDescription

# In a checkout it is beside its samples; the installed package has a copy.
BANK = ROOT / "data" / "bank_churn.yaml"
if not BANK.is_file():
    BANK = Path(__file__).with_name("bank_churn.yaml")
VARIABLE = "CHURN_TABLE"


class _Loader(yaml.BaseLoader):
    """Reads every value as text, as it is in the table: ``No`` is a category, not false; keys are unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return a mapping; YAML's readers take the last of two values for one key."""
        keys = [key.value for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(
                problem=f"key {twice[0]!r} is there twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def current_table() -> TableDescription:
    """Return the description in use: the variable ``CHURN_TABLE``, else the bank's.

    One per process, as MLflow's store is; kernels and servers that are started inherit it.

    Raises
    ------
    DescriptionError
        See `read_description`.
    """
    path = Path(os.environ.get(VARIABLE) or BANK)
    if not path.is_absolute():
        path = next((folder / path for folder in (Path.cwd(), ROOT) if (folder / path).is_file()), path)
    return _read_once(path, path.stat().st_mtime_ns if path.is_file() else 0)


def chosen_table() -> dict[str, str]:
    """Return the notebook parameter ``table`` that chooses the description in use; empty for the bank's."""
    path = os.environ.get(VARIABLE)
    return {"table": os.path.abspath(path)} if path else {}


def use_table(path: str | os.PathLike | None) -> TableDescription:
    """Use a description from here on, in this process and those it starts; None changes nothing.

    Raises
    ------
    DescriptionError
        See `read_description`.
    """
    if path:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = os.path.abspath(os.path.expanduser(path))
        try:
            return current_table()
        except DescriptionError:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before
            raise
    return current_table()


@lru_cache(maxsize=16)
def _read_once(path: Path, changed: int) -> TableDescription:
    return read_description(path)


def read_description(path: Path) -> TableDescription:
    """Read and check a description.

    Raises
    ------
    DescriptionError
        If there is no such file, it is not YAML, or has unknown, missing or contradictory keys. One message
        lists every problem, each with its place: ``features.Age.range``.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except OSError as error:
        raise DescriptionError(f"cannot read the table's description {path}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DescriptionError(f"{path} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise DescriptionError(f"{path} is not the description of a table: see data/bank_churn.yaml.")
    if isinstance(samples := content.get("samples"), dict):
        samples |= {key: str(path.parent / value) for key, value in samples.items() if isinstance(value, str)}
    try:
        return TableDescription.model_validate(content)
    except ValidationError as error:
        problems = "\n  - ".join(dict.fromkeys(_problems(error)))
        raise DescriptionError(f"{path} is not a usable description:\n  - {problems}") from None


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        place = [str(part) for part in problem["loc"] if part != "[key]"]
        where = ".".join(place) or "the description"
        if problem["type"] == "extra_forbidden":
            known = _keys(place[:-1])
            near = get_close_matches(place[-1], known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            yield f"{where}: unknown key. {hint}The keys are {', '.join(known)}"
        elif problem["type"] == "missing":
            yield f"{where}: the key is missing"
        elif "error" in problem.get("ctx", {}):
            yield f"{where}: {problem['ctx']['error']}"
        else:
            yield f"{where}: {problem['msg'].lower()}, not {problem['input']!r:.80}"


def _keys(place: list[str]) -> list[str]:
    """Return the keys that may stand at a place."""
    model: type[BaseModel] = TableDescription
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        found = [item for item in _models_in(annotation)]
        model = found[0] if found else model
    return list(model.model_fields)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
