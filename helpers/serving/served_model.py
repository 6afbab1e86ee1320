"""What the model server answers with: the live version, also after the next promotion.

MLflow runs this file (models from code); `serving` starts the server.
"""

import json
import logging
import threading

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import BAD_REQUEST
from mlflow.pyfunc import PythonModel, PythonModelContext

from helpers.config import FEATURES, IDENTIFIERS, TARGET
from helpers.data import ROW, make_customers, validate
from helpers.errors import DataError
from helpers.registry import load_production_model, production_version
from helpers.tracking import connect

POLL_SECONDS = 2.0  # seconds between two looks at the alias
MAX_BACKOFF_FACTOR = (
    15  # times that, at most, between two looks while they fail: a download each may be no small thing
)

log = logging.getLogger("uvicorn.error")  # where the server writes what it does


class BadCustomers(MlflowException):
    """A request that can't be scored: answered with 400."""

    def __init__(self, text: str):
        super().__init__(text, error_code=BAD_REQUEST)
        self._text = text

    def serialize_as_json(self) -> str:
        """Return the answer's body; MLflow would put the request's customers before the message."""
        return json.dumps({"error_code": self.error_code, "message": self._text})


class ServedModel(PythonModel):
    """Scores customers with ``models:/churn@production`` and follows that alias in the background."""

    def load_context(self, context: PythonModelContext | None) -> None:
        """Load the live version and begin to follow the alias."""
        self._client = connect().client
        self._live = load_production_model(self._client)
        log.info("churn version %d answers", self._live.version)
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._follow, name="follow-production", daemon=True).start()

    def predict(
        self, context: PythonModelContext | None, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame:
        """Score customers, all of one request with the same version.

        Parameters
        ----------
        context, params
            Not used.
        model_input : DataFrame of shape (n_customers, n_columns)
            As sent; other columns than the features are ignored.

        Returns
        -------
        DataFrame of shape (n_customers, 3)
            See ``ProductionModel.score``.

        Raises
        ------
        BadCustomers
            If the request is no table of customers, a row or column is not as `schema` says, or a category
            is one that the live version never saw.
        """
        # Scoring is mostly Python: MLflow's threads at once would only hinder each other (docs/serving.md).
        with self._one_at_a_time:
            customers = as_customers(model_input)
            try:
                return self._live.score(customers)
            except DataError as error:
                raise BadCustomers(str(error)) from None

    def stop(self) -> None:
        """Follow the alias no longer."""
        self._stop.set()

    def _follow(self) -> None:
        """Take over every promotion and roll back; whatever goes wrong, the version at hand goes on."""
        said, pause = None, POLL_SECONDS
        while not self._stop.wait(pause):
            try:
                self._take_over()
                said, pause = None, POLL_SECONDS
            except Exception as error:  # nothing may end this thread
                pause = min(2 * pause, MAX_BACKOFF_FACTOR * POLL_SECONDS)
                # One message per trouble, not one per look.
                if (trouble := str(error)) != said:
                    log.warning("churn version %d goes on answering: %s", self._live.version, trouble)
                    said = trouble

    def _take_over(self) -> None:
        version = production_version(self._client)
        if version is None:
            raise RuntimeError("no version is live any more")
        if int(version.version) == self._live.version:
            return
        live = load_production_model(self._client)
        # One that loads but can't score would lose every request: it has to score somebody first.
        live.score(make_customers(2, seed=1))
        log.info("churn version %d answers, after version %d", live.version, self._live.version)
        self._live = live


def as_customers(sent: object) -> pd.DataFrame:
    """Return a request's customers in the project's types.

    Raises
    ------
    BadCustomers
        With every problem: column, row (counted from 1), value and what to do.
    """
    try:
        table = pd.DataFrame(sent)
    except ValueError as error:
        raise BadCustomers(f"the request is not a table: {error}. Send dataframe_split or CSV.") from None
    table.columns = table.columns.map(str)
    if twice := sorted(set(table.columns[table.columns.duplicated()])):
        raise BadCustomers(f"the request has the column {', '.join(twice)} twice. Send it once.")
    table = table.drop(columns=[*IDENTIFIERS, TARGET], errors="ignore")
    for name in table.columns.intersection(FEATURES):
        if not pd.api.types.is_object_dtype(table[name]):
            continue
        nested = table[name].map(lambda value: isinstance(value, list | dict))
        if nested.any():
            row = int(nested.to_numpy().argmax()) + 1
            raise BadCustomers(f"{name}: row {row} holds a list or an object. Send one value per customer.")
    table.index = pd.RangeIndex(1, len(table) + 1, name=ROW)
    try:
        return validate(table, target=False, source="the request")
    except DataError as error:
        raise BadCustomers(str(error)) from None


set_model(ServedModel())
