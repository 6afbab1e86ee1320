"""The model of a table's description; `docs/tables.md` explains every key."""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Role = Literal["numeric", "categorical", "binary"]
IMPUTATIONS = {
    "numeric": ("median", "mean", "most_frequent"),
    "categorical": ("most_frequent", "category"),
    "binary": ("most_frequent",),
}
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(_Part):
    """A column that a model sees.

    Attributes
    ----------
    role : str
        A number; one of some texts; or 0 and 1.
    label, unit : str
        For pictures; the label is the column's name unless given.
    range : (float, float), optional
        What is plausible, both ends included; for numbers.
    values : list of str
        All that may occur, as written in the file: a categorical feature's categories, or a number's codes.
    labels : dict
        What to call a value in pictures.
    bands : list of float
        Lower edges of the bands in which pictures show a number; the last band is open.
    missing : str, optional
        How a missing value is imputed, inside each fold; without it, a missing value is refused.
        ``category`` makes it a category of its own.
    """

    role: Role
    label: str = ""
    unit: str = ""
    range: tuple[float, float] | None = None
    values: list[Text] = []
    labels: dict[str, Text] = {}
    bands: list[FiniteFloat] = []
    missing: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._contradictions()):
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.role == "categorical" and len(self.values) < 2:
            yield "a categorical feature needs its values, two or more"
        if self.role == "binary" and self.values:
            yield "the values of a binary feature are 0 and 1: leave them out, or make it categorical"
        if self.range and self.role != "numeric":
            yield f"a range is for a numeric feature, not for a {self.role} one"
        elif self.range and self.values:
            yield "range and values exclude each other: keep one"
        if self.range and not self.range[0] < self.range[1]:
            yield "the range must have its lower end first"
        if self.bands and self.role != "numeric":
            yield f"bands are for a numeric feature, not for a {self.role} one"
        if any(low >= high for low, high in pairwise(self.bands)):
            yield "the bands' edges must ascend"
        if self.missing not in (None, *IMPUTATIONS[self.role]):
            allowed = " or ".join(IMPUTATIONS[self.role])
            yield f"missing must be {allowed} for a {self.role} feature, or left out, not {self.missing!r}"
        try:
            choices = self.choices
        except ValueError:
            yield "the values of a numeric feature must be numbers: correct them, or make it categorical"
            return
        written = [str(value) for value in choices]
        if twice := [value for value in written if written.count(value) > 1]:
            yield f"values has {twice[0]!r} twice"
        if unknown := [value for value in self.labels if value not in written]:
            yield f"labels has {unknown[0]!r}, which is not one of the feature's values"

    @property
    def choices(self) -> list[int] | list[float] | list[str]:
        """Return all values that may occur, numbers as such; empty for a range, or if any number may."""
        if self.role == "binary":
            return [0, 1]
        if self.role == "categorical":
            return list(self.values)
        return [int(value) if re.fullmatch(r"-?\d+", value) else float(value) for value in self.values]


class Outcome(_Part):
    """One of the target's two values, as written in the file, and what to call it."""

    value: Text
    label: Text


class Target(_Part):
    """The column to predict: after reading, ``positive`` is 1 and ``negative`` 0.

    ``outcome`` is a noun for the positive one: "churn", as in "churn rate".
    """

    column: Text
    outcome: Text
    positive: Outcome
    negative: Outcome

    @property
    def is_coded(self) -> bool:
        """Whether the file has 0 and 1, which are read as numbers: 1.0 is 1, too."""
        return (self.negative.value, self.positive.value) == ("0", "1")


class MistakeCosts(_Part):
    """What a mistake costs, in any common unit."""

    missed: float = Field(default=5.0, ge=1e-6, le=1e12)
    wasted: float = Field(default=1.0, ge=1e-6, le=1e12)


class Samples(_Part):
    """Tables to use where none is given; paths from the description's folder."""

    customers: Path
    new_customers: Path


class TableDescription(_Part):
    """Everything the project knows about a table; see the module.

    Attributes
    ----------
    name : str
        The production model's name, e.g. ``churn``, and the start of each algorithm's: ``churn-knn``.
    title : str
        The use case, for people.
    experiment : str
        Default: ``EXP_<Name>_Modelling``.
    identifiers : list of str
        Columns that never reach a model.
    key : str, optional
        The identifier that is unique: a duplicate is refused, and tables are merged on it.
    sensitive : list of str
        Features of which groups may be treated differently.
    segments : list of str
        Features by which expected outcomes are shown; default: the three strongest.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    title: str = ""
    experiment: str = ""
    identifiers: list[Text] = []
    key: str | None = None
    target: Target
    features: Annotated[dict[Text, Feature], Field(min_length=1)]
    costs: MistakeCosts = MistakeCosts()
    sensitive: list[str] = []
    segments: list[str] = []
    samples: Samples | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_experiment(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("experiment") and isinstance(given.get("name"), str):
            name = "_".join(part.capitalize() for part in given["name"].split("_"))
            return {**given, "experiment": f"EXP_{name}_Modelling"}
        return given

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        named = [*self.identifiers, *self.features, self.target.column]
        if twice := [name for name in named if named.count(name) > 1]:
            raise ValueError(
                f"column {twice[0]!r} is named twice: a column is an identifier, a feature or the target"
            )
        blanks = [name.replace(" ", "_") for name in named]
        if alike := [name for name, other in zip(named, blanks, strict=True) if blanks.count(other) > 1]:
            raise ValueError(f"columns {alike[0]!r} and {alike[1]!r} differ by a blank only: rename one")
        if self.key is not None and self.key not in self.identifiers:
            raise ValueError(f"key: {self.key!r} is not one of the identifiers: add it to them")
        for key in ("sensitive", "segments"):
            if unknown := [name for name in getattr(self, key) if name not in self.features]:
                raise ValueError(f"{key}: {unknown[0]!r} is not a feature")
        if self.target.positive.value == self.target.negative.value:
            raise ValueError(f"target: both outcomes have the value {self.target.positive.value!r}")
        return self

    def _with_role(self, role: Role) -> list[str]:
        return [name for name, feature in self.features.items() if feature.role == role]

    @cached_property
    def numeric(self) -> list[str]:
        """Return the numeric features, in the description's order."""
        return self._with_role("numeric")

    @cached_property
    def categorical(self) -> list[str]:
        """Return the categorical features."""
        return self._with_role("categorical")

    @cached_property
    def binary(self) -> list[str]:
        """Return the binary features."""
        return self._with_role("binary")

    @cached_property
    def feature_names(self) -> list[str]:
        """Return a model's columns, in its order: numeric, categorical, binary."""
        return self.numeric + self.categorical + self.binary

    @cached_property
    def columns(self) -> list[str]:
        """Return all columns, in the description's order: identifiers, features, the target."""
        return [*self.identifiers, *self.features, self.target.column]

    @property
    def outcomes(self) -> list[str]:
        """Return what the two outcomes are called, 0 first."""
        return [self.target.negative.label, self.target.positive.label]

    @cached_property
    def never_missing(self) -> list[str]:
        """Return the features of which a missing value is refused."""
        return [name for name in self.feature_names if self.features[name].missing is None]

    @property
    def target_name(self) -> str:
        """Return the column to predict."""
        return self.target.column

    def choices(self, column: str) -> list[int] | list[float] | list[str]:
        """Return all values that a column may have; empty if there is no such list."""
        if column == self.target.column:
            return [0, 1]
        return self.features[column].choices if column in self.features else []

    def named_choices(self, column: str) -> list[str]:
        """Return the values of `choices` as they are written in the file."""
        if column == self.target.column:
            return [self.target.negative.value, self.target.positive.value]
        return [str(value) for value in self.choices(column)]

    def bounds(self, column: str) -> tuple[float, float] | None:
        """Return a column's plausible range, if it has one."""
        return self.features[column].range if column in self.features else None

    def registered_name(self, algorithm: str) -> str:
        """Return the registered model's name of an algorithm, e.g. ``churn-knn``."""
        return f"{self.name}-{algorithm}"
