"""The file of scores as text: safe to open in a spreadsheet, and read back exactly."""

import io
from pathlib import Path

import pandas as pd

# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection"), also in full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTE = "'"


def to_csv(table: pd.DataFrame) -> bytes:
    """Write a table in which no text is a formula: such a text gets an apostrophe in front.

    So does one that begins with an apostrophe, so that `read_scores` can tell the two apart. Numbers stay as
    they are.
    """
    table = table.copy()
    for name in table.select_dtypes(["object", "str"]):
        table[name] = table[name].map(_guard, na_action="ignore")
    return table.to_csv(index=False, lineterminator="\n").encode()


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a file of scores: every ``customer`` is text, character for character as in the scored file.

    Returns
    -------
    DataFrame of shape (n_customers, 4)
        See `score_customers`.
    """
    content = io.BytesIO(Path(path).read_bytes())
    table = pd.read_csv(content, dtype={"customer": "str"}, keep_default_na=False)
    return table.assign(customer=table["customer"].str.removeprefix(_QUOTE))


def _guard(text: object) -> object:
    return f"{_QUOTE}{text}" if isinstance(text, str) and text.startswith((*_FORMULA, _QUOTE)) else text
