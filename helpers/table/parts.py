"""The parts of a table's description: features, the target, costs, samples."""

import math
import re
from collections.abc import Iterator
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


class Part(BaseModel):
    """Base of all parts: no unknown key, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Feature(Part):
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
    range: tuple[FiniteFloat, FiniteFloat] | None = None
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
            choices: list[Any] = list(self.choices)
        except ValueError:
            yield "the values of a numeric feature must be numbers: correct them, or make it categorical"
            return
        pairs = list(zip(self.values, choices, strict=False))
        if infinite := [text for text, value in pairs if not _finite(value)]:
            yield f"values has {infinite[0]!r}, which is no finite number: leave it out"
        if twice := [text for text, value in pairs if choices.count(value) > 1]:
            first, second, *_ = twice
            same = f"{first!r} twice" if first == second else f"{first!r} and {second!r}, one number"
            yield f"values has {same}: keep one"
        written = [str(value) for value in choices]
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


def _finite(value: float | str) -> bool:
    """Tell whether a value is a text, or a number that a table can hold."""
    try:
        return isinstance(value, str) or math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


class Outcome(Part):
    """One of the target's two values, as written in the file, and what to call it."""

    value: Text
    label: Text


class Target(Part):
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


class MistakeCosts(Part):
    """What a mistake costs, in any common unit."""

    missed: float = Field(default=5.0, ge=1e-6, le=1e12)
    wasted: float = Field(default=1.0, ge=1e-6, le=1e12)


class Samples(Part):
    """Tables to use where none is given; paths from the description's folder."""

    customers: Path
    new_customers: Path
