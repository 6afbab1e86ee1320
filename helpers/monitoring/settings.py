"""Settings of notebook 06 and ``churn monitor``."""

from helpers.data import TablePath
from helpers.training import ModelSettings


class MonitorSettings(ModelSettings):
    """The new customers, and the table that the production model was trained on."""

    batch: TablePath = None
    data: TablePath = None
