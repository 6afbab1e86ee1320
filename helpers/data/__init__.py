"""The customer table: find, read, validate, split, merge and generate it."""

from helpers.data.bad_rows import load_sound
from helpers.data.describing import describe
from helpers.data.loading import Split, load, split
from helpers.data.merging import (
    MergedTable,
    customer_ids,
    merge_batch,
    require_key,
    save_table,
    table_name,
)
from helpers.data.paths import data_path, new_customers_path
from helpers.data.problems import MIN_PER_CLASS, MISSING_VALUE, UNKNOWN_CATEGORY, rows_are
from helpers.data.reading import missing_values, read_csv_text
from helpers.data.schema import ROW, places
from helpers.data.settings import DataSettings, TablePath
from helpers.data.spoiling import UNKNOWN, spoil
from helpers.data.synthetic import has_generator, is_synthetic, known_shifts, make_customers
from helpers.data.validation import validate

__all__ = [
    "MIN_PER_CLASS",
    "MISSING_VALUE",
    "ROW",
    "UNKNOWN",
    "UNKNOWN_CATEGORY",
    "DataSettings",
    "MergedTable",
    "Split",
    "TablePath",
    "customer_ids",
    "data_path",
    "describe",
    "has_generator",
    "is_synthetic",
    "known_shifts",
    "load",
    "load_sound",
    "make_customers",
    "merge_batch",
    "missing_values",
    "new_customers_path",
    "places",
    "read_csv_text",
    "require_key",
    "rows_are",
    "save_table",
    "split",
    "spoil",
    "table_name",
    "validate",
]
