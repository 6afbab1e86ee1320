"""Settings of notebook 03, ``churn train`` and ``churn run``."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from helpers.data import CsvPath
from helpers.settings import NotebookSettings, one_of
from helpers.training.algorithms import ALGORITHMS
from helpers.training.costs import Cost
from helpers.training.grids import make_grid

OptionalCost = Annotated[Cost | None, Field(description="a number from 1e-6 to 1e12")]


def _check_not_zero(number: int) -> int:
    if number == 0:
        raise ValueError
    return number


class TrainSettings(NotebookSettings):
    """What to train, on what, and what mistakes cost."""

    model: Annotated[str, one_of(ALGORITHMS)] = "knn"
    data: CsvPath = None
    grid: Annotated[
        dict | str | None, Field(description="hyperparameters with their values, or JSON text")
    ] = None
    n_jobs: Annotated[
        int,
        Field(ge=-1024, le=1024, description="a number of threads, or -1 for one per core"),
        AfterValidator(_check_not_zero),
    ] = -1
    missed_cost: OptionalCost = None
    wasted_cost: OptionalCost = None

    @model_validator(mode="after")
    def _check_grid(self) -> Self:
        make_grid(self.model, self.grid)
        return self
