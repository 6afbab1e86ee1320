"""All errors a user can get, under one base; the command line prints the message and exits with its code."""

from enum import IntEnum

from helpers.masking import mask


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    LABELS_MISSING = 3
    """Drift was found, but too few outcomes are known to retrain on the batch."""
    BUSY = 4
    """Another retraining is in progress."""
    ROWS_ASIDE = 5
    """Customers were scored, but some rows of the file could not be used and were set aside."""
    INTERRUPTED = 130


class ProjectError(Exception):
    """Base class: the message says what is wrong and what to do, so no traceback is needed.

    Credentials are masked, wherever the message got them from.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str):
        super().__init__(mask(message))


class SettingError(ProjectError, ValueError):
    """An invalid setting: an unknown name, or a value out of range."""

    exit_code = ExitCode.USAGE


class DescriptionError(SettingError):
    """The description of a table cannot be used; the message lists every problem with its place."""


class DataError(ProjectError, ValueError):
    """An unusable file or table; the message lists every problem and what to do."""


class DataWarning(UserWarning):
    """Something about a table that a person should know, though it can be used."""


class StoreError(ProjectError, RuntimeError):
    """The MLflow store cannot be used."""


class RegistryError(ProjectError, RuntimeError):
    """The model registry cannot carry out the operation."""


class UnverifiedModel(RegistryError):
    """The files of a version are not, or not known to be, those that were registered."""


class OtherTable(RegistryError):
    """A version was trained with another description of the same name than the one in use."""


class NoChallengers(RegistryError):
    """No version in staging was trained on the data."""


class ServingError(ProjectError, RuntimeError):
    """The model server rejected the customers or does not answer."""


class NotebookError(ProjectError, RuntimeError):
    """A notebook failed; the message has the cell's error and where the executed copy is."""


class RetrainingInProgress(ProjectError, RuntimeError):
    """Another retraining is in progress in this experiment."""

    exit_code = ExitCode.BUSY


def one_line(error: BaseException) -> str:
    """Return what an error of a library says, as one line; with its type where the text alone says little."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
