"""Settings: each is checked, by name, before any work; notebooks and the command line share the checks.

A notebook's settings are its papermill parameters. Their model is beside what they are settings of:
``training.TrainSettings``, for example.
"""

import ast
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from helpers.errors import ProjectError, SettingError
from helpers.table import use_table

# The first line of the cell that papermill injects below a notebook's own parameters.
_INJECTED = "# Parameters\n"


def _use(table: str | Path | None) -> str | Path | None:
    use_table(table)
    return table


class Settings(BaseModel):
    """Base of all settings: no value is converted, so that ``"5"`` and True are no numbers.

    The description of a field completes the sentence "<name> must be ...".
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def check(cls, given: Mapping[str, object]) -> Self:
        """Check settings; those not given have their defaults.

        Raises
        ------
        SettingError
            If some are unknown or have a value of a wrong type or range; one message names them all.
        DataError
            If the only problem is a file that does not exist.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            problems = {str(problem): problem for problem in cls._problems(error, given)}
        if len(problems) == 1:
            raise next(iter(problems.values())) from None
        raise SettingError("; ".join(problems)) from None

    @classmethod
    def check_notebook(cls, variables: Mapping[str, Any]) -> None:
        """Check a notebook's settings, in its first cell below the parameters.

        Parameters
        ----------
        variables : mapping
            The notebook's ``globals()``. Of these, the settings are checked, and the names that papermill
            injected: those of a notebook that is run cell by cell may be anything.

        Raises
        ------
        SettingError, DataError
            See `check`.
        """
        names = [*cls.model_fields, *_injected(variables.get("In", []))]
        cls.check({name: variables[name] for name in names if name in variables})

    @classmethod
    def _problems(cls, error: ValidationError, given: Mapping[str, object]) -> Iterator[ProjectError]:
        for problem in error.errors(include_url=False, include_input=False):
            cause = problem.get("ctx", {}).get("error")
            name = str(next(iter(problem["loc"]), ""))
            if isinstance(cause, ProjectError):
                yield cause
            elif name in cls.model_fields:
                expected = cls.model_fields[name].description
                yield SettingError(f"{name} must be {expected}, not {_shown(given[name])}")
            else:
                near = get_close_matches(name, cls.model_fields, n=2, cutoff=0.5)
                hint = f"did you mean {' or '.join(near)}? " if near else ""
                known = ", ".join(cls.model_fields)
                yield SettingError(f"unknown setting {name!r}: {hint}The settings are {known}")


class NotebookSettings(Settings):
    """Base of a notebook's settings. A table is used as soon as it is checked: the others depend on it."""

    table: Annotated[
        str | Path | None,
        AfterValidator(_use),
        Field(description="the path of a table's description, as text"),
    ] = None


def one_of(names: Iterable[str]) -> Any:
    """Return the field of a setting that takes one of some names."""
    return Field(pattern=rf"^({'|'.join(names)})$", description=f"one of {', '.join(names)}")


def _injected(cells: Iterable[str]) -> list[str]:
    """Return the names in the cell that papermill injected, if a notebook's executed cells have one."""
    sources = [source for source in cells if source.startswith(_INJECTED)]
    body = ast.parse(sources[-1]).body if sources else []
    targets = [target for line in body if isinstance(line, ast.Assign) for target in line.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _shown(value: object) -> str:
    """Return a value as it can be shown in a message, however long."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"
