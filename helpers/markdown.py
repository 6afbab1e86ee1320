"""Tables in Markdown, for reports."""

from collections.abc import Mapping

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype


def markdown_table(table: pd.DataFrame, formats: Mapping[str, str] | None = None) -> str:
    """Return a table in Markdown, without its index, numeric columns aligned to the right.

    Parameters
    ----------
    table : DataFrame
    formats : mapping, optional
        Format specification by column, e.g. ``{"share": ".1%"}``. Without one, floats have four decimals.
    """
    columns = []
    for name, values in table.items():
        is_number = is_numeric_dtype(values) and not is_bool_dtype(values)
        cells = [_cell(value, (formats or {}).get(str(name))) for value in values]
        columns.append([_cell(name), "---:" if is_number else "---", *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))


def _cell(value: object, spec: str | None = None) -> str:
    if spec is None:
        spec = ".4f" if isinstance(value, float) else ""
    return format(value, spec).replace("|", r"\|")
