"""Settings of notebook 05 and ``churn score``."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from helpers.config import ROOT
from helpers.data import TablePath, new_customers_path
from helpers.scoring.batch import BAD_ROWS, REFUSE, check_outputs
from helpers.settings import one_of
from helpers.training import ModelSettings


class ScoreSettings(ModelSettings):
    """What to score, and where the scores go."""

    batch: TablePath = None
    data: TablePath = None
    out: Annotated[
        Annotated[str, Field(min_length=1)] | Path, Field(description="the path of a file, as text")
    ] = "outputs/scores.csv"
    bad_rows: Annotated[str, one_of(BAD_ROWS)] = REFUSE
    top: Annotated[int, Field(ge=1, le=1_000_000, description="a number of customers, from 1 to 1000000")] = (
        10
    )

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        check_outputs(ROOT / self.out, self.bad_rows, new_customers_path(self.batch))
        return self
