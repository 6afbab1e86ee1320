"""Settings of notebook 03, ``churn train`` and ``churn run``; and of all that train or load a model."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from helpers.data import TablePath
from helpers.settings import NotebookSettings
from helpers.training.algorithms import algorithm, use_algorithms
from helpers.training.costs import Cost
from helpers.training.grids import make_grid

OptionalCost = Annotated[Cost | None, Field(description="a number from 1e-6 to 1e12")]


def _check_not_zero(number: int) -> int:
    if number == 0:
        raise ValueError
    return number


def _use(algorithms: str | Path | None) -> str | Path | None:
    use_algorithms(algorithms)
    return algorithms


def _check_known(model: str, checked: ValidationInfo) -> str:
    if "algorithms" in checked.data:  # or that is the problem
        algorithm(model)
    return model


class ModelSettings(NotebookSettings):
    """Base of the settings of a notebook that trains or loads a model. The file is used at once."""

    algorithms: Annotated[
        str | Path | None,
        AfterValidator(_use),
        Field(description="the path of a Python file with your own algorithms, as text"),
    ] = None


class TrainSettings(ModelSettings):
    """What to train, on what, and what mistakes cost."""

    model: Annotated[str, AfterValidator(_check_known), Field(description="the name of an algorithm")] = "knn"
    data: TablePath = None
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
