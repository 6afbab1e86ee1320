"""Settings of notebook 04."""

from typing import Annotated

from pydantic import Field

from helpers.data import TablePath
from helpers.registry.promotion import ACTIONS, PROMOTE
from helpers.settings import one_of
from helpers.training import ModelSettings


class PromotionSettings(ModelSettings):
    """What to do with which challenger, and why."""

    data: TablePath = None
    production_data: TablePath = None
    # One of the challengers, which the registry knows: an algorithm may have been taken out.
    challenger: Annotated[
        str | None, Field(pattern=r"^[\w.-]{1,200}$", description="the name of an algorithm")
    ] = None
    action: Annotated[str, one_of(ACTIONS)] = PROMOTE
    reason: Annotated[
        str, Field(min_length=1, max_length=2000, description="text of 1 to 2000 characters")
    ] = "best mean validation F1 of the challengers"
