"""Read the body of a request strictly: nothing is guessed, converted or dropped without a word."""

import json
from typing import Any

import pandas as pd

from helpers.data import read_csv_text
from helpers.errors import DataError

MAX_BYTES = 5_000_000
MAX_CUSTOMERS = 10_000  # in one request; they take seconds, within the server's time limit of a minute

CSV, JSON = "text/csv", "application/json"
FORMATS = ("dataframe_split", "dataframe_records", "inputs", "instances")


class BadRequest(DataError):
    """A request that is refused; ``status`` is the HTTP code."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


def too_large() -> BadRequest:
    """Describe a body beyond the limit."""
    return BadRequest(
        f"the request is larger than {MAX_BYTES:,} bytes: send at most {MAX_CUSTOMERS:,} customers at a time",
        status=413,
    )


def read_body(body: bytes, content_type: str) -> pd.DataFrame:
    """Return the customers of a request as they were sent.

    Raises
    ------
    BadRequest
        If the body is empty, not UTF-8, malformed, not a table or too large, or has a duplicate column.
    """
    kind, _, options = (part.strip().lower() for part in content_type.partition(";"))
    charset = options.removeprefix("charset=").strip('"')
    if kind not in (CSV, JSON) or charset not in ("", "utf-8", "utf8"):
        raise BadRequest(f"the content type is {content_type!r}: send {CSV} or {JSON}, in UTF-8", status=415)
    if not body.strip():
        raise BadRequest("the request is empty: send customers as CSV or JSON")
    if body.startswith(b"\x1f\x8b"):
        raise BadRequest("the request is compressed with gzip: send it uncompressed", status=415)
    try:
        table = read_csv_text("the request", body) if kind == CSV else _from_json(body)
    except DataError as error:
        raise error if isinstance(error, BadRequest) else BadRequest(str(error)) from None
    if len(table) > MAX_CUSTOMERS:
        raise BadRequest(
            f"the request has {len(table):,} customers: send at most {MAX_CUSTOMERS:,} at a time", status=413
        )
    return table


def _from_json(body: bytes) -> pd.DataFrame:
    try:
        request = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_int=_integer)
    except UnicodeDecodeError:
        raise BadRequest("the request is not UTF-8 text") from None
    except RecursionError:
        raise BadRequest("the request is not a table: its JSON is nested too deeply") from None
    except BadRequest:
        raise
    except ValueError as error:
        raise BadRequest(f"the request is not JSON: {error}") from None
    if isinstance(request, dict) and not request.get("params"):  # MLflow's clients send them empty
        request.pop("params", None)
    if not isinstance(request, dict) or len(request) != 1 or not request.keys() <= {*FORMATS}:
        raise BadRequest(
            f"the request must be a JSON object with exactly one of {', '.join(FORMATS)}, and nothing else"
        )
    try:
        return _table(*request.popitem())
    except BadRequest:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BadRequest(
            f"the request is not a table ({str(error)[:200]}): send dataframe_split or CSV"
        ) from None


def _table(name: str, value: Any) -> pd.DataFrame:
    """Build the table with every value as sent: typed arrays would turn true into 1."""
    if name == "dataframe_split":
        if not isinstance(value, dict) or not isinstance(value.get("columns"), list):
            raise BadRequest("dataframe_split must be an object with columns and data")
        if not all(isinstance(column, str) for column in value["columns"]):
            raise BadRequest("dataframe_split has columns that are not text: send their names")
        return pd.DataFrame(value.get("data"), columns=value["columns"], dtype=object)
    records = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    if not records and not isinstance(value, dict):
        raise BadRequest(f"{name} must be a list of objects, or an object of lists, with the columns' names")
    return pd.DataFrame(value, dtype=object)


def _object(pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"the request has a duplicate column {duplicate[:40]}. Send it once.")
    return found


def _integer(digits: str) -> float:
    """Return an integer; one beyond every range as infinity, which pandas can compare."""
    return int(digits) if len(digits) < 300 else float(digits)


def to_json(table: pd.DataFrame) -> bytes:
    """Return customers as JSON in MLflow's ``dataframe_split``, numbers with all their digits."""
    # Not DataFrame.to_json: that keeps only 15 digits.
    values = table.astype(object).where(table.notna(), None)
    columns = list(values.columns)
    return json.dumps({"dataframe_split": {"columns": columns, "data": values.to_numpy().tolist()}}).encode()
