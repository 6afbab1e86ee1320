"""Settings of notebook 06 and ``churn monitor``."""

from helpers.data import CsvPath
from helpers.training import ModelSettings


class MonitorSettings(ModelSettings):
    """The new customers, and the table that the production model was trained on."""

    batch: CsvPath = None
    data: CsvPath = None
