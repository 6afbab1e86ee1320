"""The model behind the server: scores with the production version and follows promotions.

MLflow runs this file (models from code); `server` starts the process. Importing it calls ``set_model``, so no
other module imports it.
"""

import json
import logging
import threading
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INTERNAL_ERROR
from mlflow.pyfunc import PythonModel, PythonModelContext

from helpers.data import ROW, validate
from helpers.errors import DataError, RegistryError
from helpers.registry import ProductionModel, input_example, load_production_model, production_version
from helpers.table import current_table
from helpers.tracking import connect

POLL_SECONDS = 2.0  # between two checks of the alias
MAX_BACKOFF_FACTOR = 15  # while polling fails: every attempt may download a model

log = logging.getLogger("uvicorn.error")  # the server's own log


class BadCustomers(MlflowException):
    """A request that cannot be scored; the response is 400, or 500 if the fault is the server's."""

    def __init__(self, text: str, error_code: int = BAD_REQUEST):
        super().__init__(text, error_code=error_code)
        self._text = text

    def serialize_as_json(self) -> str:
        """Return the response body; MLflow's default repeats the request's customers before the message."""
        return json.dumps({"error_code": self.error_code, "message": self._text})


class ServedModel(PythonModel):
    """Score customers with ``models:/churn@production`` and follow that alias in the background."""

    def load_context(self, context: PythonModelContext | None) -> None:
        """Load the production version and start to follow the alias."""
        self._client = connect().client
        self._production = load_production_model(self._client)
        log.info("serving %s", _name(self._production))
        self._scoring = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._follow, name="follow-production", daemon=True).start()

    def predict(
        self, context: PythonModelContext | None, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame:
        """Score customers, with one version for the whole request.

        Parameters
        ----------
        context, params
            Not used.
        model_input : DataFrame of shape (n_customers, n_columns)
            As sent; columns other than the features are ignored.

        Returns
        -------
        DataFrame of shape (n_customers, 3)
            See ``ProductionModel.score``.

        Raises
        ------
        BadCustomers
            If the request is not a table of customers, a row or column violates the schema, or a category
            was not in the production version's training table.
        """
        # Scoring is mostly Python: MLflow's threads would only slow each other down (docs/serving.md).
        with self._scoring:
            try:
                return self._production.score(as_customers(model_input))
            except BadCustomers:
                raise
            except DataError as error:
                raise BadCustomers(str(error)) from None
            except Exception:  # MLflow would send the traceback to the client
                log.exception("a request failed")
                raise BadCustomers(
                    "scoring failed; the server's log has the reason", INTERNAL_ERROR
                ) from None

    def stop(self) -> None:
        """Stop following the alias."""
        self._stop.set()

    def _follow(self) -> None:
        """Switch after every promotion and rollback; keep serving the current version on any error."""
        logged, pause = None, POLL_SECONDS
        while not self._stop.wait(pause):
            try:
                self._switch()
                logged, pause = None, POLL_SECONDS
            except Exception as error:  # nothing may end this thread
                pause = min(2 * pause, MAX_BACKOFF_FACTOR * POLL_SECONDS)
                # One message per problem, not one per poll.
                if (problem := str(error)) != logged:
                    log.warning("keep serving %s: %s", _name(self._production), problem)
                    logged = problem

    def _switch(self) -> None:
        version = production_version(self._client)
        if version is None:
            raise RegistryError("no version is in production any more")
        if int(version.version) == self._production.version:
            return
        production = load_production_model(self._client)
        # A model that loads but cannot score would fail every request: smoke-test it before switching.
        production.score(input_example(self._client, version))
        log.info("serving %s instead of %d", _name(production), self._production.version)
        self._production = production


def _name(production: ProductionModel) -> str:
    return f"{current_table().name} version {production.version}"


def as_customers(request: Any) -> pd.DataFrame:
    """Return a request's customers in the project's types.

    Raises
    ------
    BadCustomers
        With every problem: column, row (counted from 1), value, and what to do.
    """
    try:
        table = pd.DataFrame(request)
    except ValueError as error:
        raise BadCustomers(f"the request is not a table: {error}. Send dataframe_split or CSV.") from None
    table.columns = table.columns.map(str)
    if duplicates := sorted(set(table.columns[table.columns.duplicated()])):
        raise BadCustomers(f"the request has a duplicate column {', '.join(duplicates)}. Send it once.")
    described = current_table()
    table = table.drop(columns=[*described.identifiers, described.target_name], errors="ignore")
    for name in table.columns.intersection(described.feature_names):
        if not pd.api.types.is_object_dtype(table[name]):
            continue
        nested = table[name].map(lambda value: isinstance(value, list | dict))
        if nested.any():
            row = int(nested.to_numpy().argmax()) + 1
            raise BadCustomers(f"{name}: row {row} has a list or an object. Send one value per customer.")
    table.index = pd.RangeIndex(1, len(table) + 1, name=ROW)
    try:
        return validate(table, target=False, source="the request")
    except DataError as error:
        raise BadCustomers(str(error)) from None


set_model(ServedModel())
