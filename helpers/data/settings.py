"""Settings that name a table."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from helpers.data.paths import data_path
from helpers.settings import NotebookSettings


def _check_exists(path: str | Path | None) -> str | Path | None:
    if path:
        data_path(path)
    return path


TablePath = Annotated[
    str | Path | None, AfterValidator(_check_exists), Field(description="the path of a table, as text")
]


class DataSettings(NotebookSettings):
    """Settings of notebooks 01 and 02."""

    data: TablePath = None
