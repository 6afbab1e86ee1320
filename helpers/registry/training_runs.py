"""The run that trained a version: its metrics are what promotion, monitoring and retraining compare with."""

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from helpers.errors import RegistryError


def training_run(client: MlflowClient, run_id: str | None, name: str, version: str | int) -> Run:
    """Return the run that trained a version.

    Parameters
    ----------
    client : MlflowClient
    run_id : str or None
        As the version has it.
    name : str
        Registered model, for the message.
    version : str or int

    Raises
    ------
    RegistryError
        If the version was registered without a run, or the run was removed from the store.
    """
    remedy = "train again with notebooks/03_train.ipynb and promote that version"
    if not run_id:
        raise RegistryError(f"{name} version {version} was registered without a training run: {remedy}")
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise RegistryError(
            f"the training run of {name} version {version} ({run_id}) was deleted and removed with "
            f"`mlflow gc`, and its scores with it: {remedy}"
        ) from error
