"""The model of a table's description; `docs/tables.md` explains every key."""

import re
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
        if self.role == "categorical" and len(self.values) < 2:
            raise ValueError("a categorical feature needs its values, two or more")
        if self.role == "binary" and self.values:
            raise ValueError(
                "the values of a binary feature are 0 and 1: leave them out, or make it categorical"
            )
        if self.range and (self.values or self.role != "numeric"):
            raise ValueError("a range is for numbers, instead of values")
        if self.range and not self.range[0] < self.range[1]:
            raise ValueError("the range must have its lower end first")
        if self.bands and self.role != "numeric":
            raise ValueError("bands are for numbers")
        if any(low >= high for low, high in pairwise(self.bands)):
            raise ValueError("the bands' edges must ascend")
        if len(set(self.values)) < len(self.values):
            raise ValueError("the values must differ")
        if self.missing not in (None, *IMPUTATIONS[self.role]):
            choices = ", ".join(IMPUTATIONS[self.role])
            raise ValueError(f"missing must be one of {choices} for a {self.role} feature, or left out")
        if unknown := [value for value in self.labels if value not in map(str, self.choices)]:
            raise ValueError(f"labels has {unknown[0]!r}, which is no value of the feature")
        return self

    @property
    def choices(self) -> list[int] | list[float] | list[str]:
        """Return all values that may occur, numbers as such; empty for a range, or if any number may."""
        if self.role == "binary":
            return [0, 1]
        if self.role == "categorical":
            return list(self.values)
        try:
            return [int(value) if re.fullmatch(r"-?\d+", value) else float(value) for value in self.values]
        except ValueError:
            raise ValueError("the values of a numeric feature must be numbers") from None


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
                f"column {twice[0]!r} has two roles: a column is an identifier, a feature or the target"
            )
        if self.key is not None and self.key not in self.identifiers:
            raise ValueError(f"key {self.key!r} is not one of the identifiers")
        if unknown := [name for name in self.sensitive if name not in self.features]:
            raise ValueError(f"sensitive has {unknown[0]!r}, which is not a feature")
        if self.target.positive.value == self.target.negative.value:
            raise ValueError("the target's positive and negative value are the same")
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
