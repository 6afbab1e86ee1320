"""The model of a table's description; `docs/tables.md` explains every key."""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from helpers.table.parts import Feature, MistakeCosts, Part, Role, Samples, Target, Text

TAKEN = ("customer", "probability")  # columns that scores add to those of the table


class TableDescription(Part):
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
    renames : dict
        Columns of a file that have another name there: ``{their_name: name}``.
    decimal : {"point", "comma"}, optional
        How a number is read that can be read in two ways, such as ``83.808``; without it, it is refused.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    title: str = ""
    experiment: str = ""
    identifiers: Annotated[list[Text], Field(default_factory=list)]
    key: str | None = None
    target: Target
    features: Annotated[dict[Text, Feature], Field(min_length=1)]
    costs: MistakeCosts = MistakeCosts()
    sensitive: Annotated[list[str], Field(default_factory=list)]
    segments: Annotated[list[str], Field(default_factory=list)]
    samples: Samples | None = None
    renames: Annotated[dict[Text, str], Field(default_factory=dict)]
    decimal: Literal["point", "comma"] | None = None

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
        if taken := [name for name in (*self.features, self.target.column) if name in TAKEN]:
            raise ValueError(
                f"column {taken[0]!r} has a name that the scores need: rename it, also in the table, or make "
                "it an identifier"
            )
        blanks = [name.replace(" ", "_") for name in named]
        if alike := [name for name, other in zip(named, blanks, strict=True) if blanks.count(other) > 1]:
            raise ValueError(f"columns {alike[0]!r} and {alike[1]!r} differ by a blank only: rename one")
        if self.key is not None and self.key not in self.identifiers:
            raise ValueError(f"key: {self.key!r} is not one of the identifiers: add it to them")
        for key in ("sensitive", "segments"):
            if unknown := [name for name in getattr(self, key) if name not in self.features]:
                raise ValueError(f"{key}: {unknown[0]!r} is not a feature")
        if unknown := [name for name in self.renames.values() if name not in named]:
            raise ValueError(f"renames: {unknown[0]!r} is not a column of the description")
        if known := [name for name in self.renames if name in named]:
            raise ValueError(f"renames: {known[0]!r} is a column itself: give the names in files instead")
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
    def meaning(self) -> dict[str, str | list[str]]:
        """Return what a model and its scores depend on: the outcome, and the columns by role.

        Ranges, categories, words and costs are not in it: they may change from one training to the next.
        """
        return {
            "target": self.target.column,
            "negative": self.target.negative.value,
            "positive": self.target.positive.value,
            "numeric": self.numeric,
            "categorical": self.categorical,
            "binary": self.binary,
        }

    @cached_property
    def fingerprint(self) -> str:
        """Return a fingerprint of `meaning`; the order of the columns does not count."""
        sorted_meaning = [sorted(part) if isinstance(part, list) else part for part in self.meaning.values()]
        return hashlib.sha256(json.dumps(sorted_meaning).encode()).hexdigest()

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
