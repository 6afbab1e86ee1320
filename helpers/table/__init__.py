"""The description of a customer table: one YAML file that everything else follows.

It names the use case, the columns and their roles, what is plausible, and what the outcome is called. The
bank's is ``data/bank_churn.yaml``.
"""

from helpers.table.description import TAKEN, TableDescription
from helpers.table.parts import Feature
from helpers.table.reading import (
    BANK,
    chosen_table,
    current_table,
    description_path,
    read_description,
    use_table,
)

__all__ = [
    "BANK",
    "TAKEN",
    "Feature",
    "TableDescription",
    "chosen_table",
    "current_table",
    "description_path",
    "read_description",
    "use_table",
]
