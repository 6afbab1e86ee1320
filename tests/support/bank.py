"""The bank's table, which most tests use: its description, its samples, and names from it."""

from pathlib import Path

import pandas as pd

from helpers.table import BANK, read_description

TABLE = read_description(BANK)
EMBEDDED_DATA = BANK.with_name("bank_churn.csv")
NEW_CUSTOMERS = BANK.with_name("new_customers.csv")
BINARY, CATEGORICAL, NUMERIC = TABLE.binary, TABLE.categorical, TABLE.numeric
FEATURES, COLUMNS = TABLE.feature_names, TABLE.columns
IDENTIFIERS, TARGET = TABLE.identifiers, TABLE.target_name
EXPERIMENT, PRODUCTION_MODEL = TABLE.experiment, TABLE.name
registered_name = TABLE.registered_name
CHOICES = {name: TABLE.choices(name) for name in COLUMNS if TABLE.choices(name)}
RANGES = {name: bounds for name in COLUMNS if (bounds := TABLE.bounds(name))}
MISSED_COST, WASTED_COST = TABLE.costs.missed, TABLE.costs.wasted


def as_in_file(path: Path) -> pd.DataFrame:
    """Return a table unchecked; identifiers are text."""
    return pd.read_csv(path, dtype=dict.fromkeys(IDENTIFIERS, "str"))
