"""What is wrong with a store, in one message: errors of MLflow, SQLAlchemy and HTTP, translated."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from helpers.errors import ProjectError, StoreError
from helpers.masking import mask

LENGTH = 300  # of what MLflow, a database or a server said, at most

GRANT = (
    "the administrator must grant it EDIT on the experiment and on the registered models "
    '(docs/stack.md, "Add a colleague")'
)

# The first pattern that is found decides. Order matters: "disk image is malformed" is not a full disk.
_KNOWN = [
    (
        r"certificate.verify.failed|SSLCertVerificationError",
        "{address}: its certificate is not trusted. If the server is yours and signs its own, set "
        "MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate's PEM file",
    ),
    (
        r"Invalid Host header",
        "{address}: the server does not accept this host name: start it with it in --allowed-hosts",
    ),
    (
        r"error code 401|authentication|unauthorized|access denied for user|no password supplied",
        "{address} refuses the login: check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the "
        "user and password in MLFLOW_TRACKING_URI",
    ),
    (r"error code 403|PERMISSION_DENIED", "{address}: this user lacks a right: " + GRANT + " ({text})"),
    (
        r"malformed|not a database|disk image",
        "{address} is damaged, or no SQLite file: restore it from a backup, or set MLFLOW_TRACKING_URI to "
        "another file ({text})",
    ),
    (
        r"disk is full|disk full|disk I/O error|No space left|DiskFull|could not extend|ENOSPC",
        "the disk of {address} is full: make room, then repeat ({text})",
    ),
    (
        r"readonly database|read-only file|unable to open database file|Permission denied",
        "{address} cannot be written: MLflow needs write permission on the file and on its folder ({text})",
    ),
    (
        r"database is locked",
        "{address} is locked by another program: close it (a database browser, a backup), then repeat",
    ),
    (
        r"out-of-date database schema|Can't locate revision",
        "{address}: its database is from another MLflow version: the server's operator must upgrade one of "
        "the two ({text})",
    ),
    (
        r"No module named|Can't load plugin",
        "{address}: the database's driver is missing: install it, or name another one, e.g. "
        "postgresql+psycopg2://... with `pip install psycopg2-binary` ({text})",
    ),
    (r"error code 429|too many 429|Too Many Requests", "{address} has too many requests (429): repeat later"),
]

_NO_ANSWER = (
    r"Max retries exceeded|Connection ?(refused|aborted|reset|error)|timed? ?out|OperationalError|"
    r"InterfaceError|server closed the connection|could not connect|error code 5\d\d"
)


@contextmanager
def store_errors(uri: str, connecting: bool = False) -> Iterator[None]:
    """Turn an error of the store into a `StoreError`.

    Without its cause: a chained traceback would show what the message hides.

    Parameters
    ----------
    uri : str
    connecting : bool
        Nothing but the store is asked, so every error is one of the store: a server that is no MLflow can
        answer anything, and MLflow's client does not check it. Otherwise only known errors of MLflow, the
        database or the connection are translated.
    """
    try:
        yield
    except ProjectError:
        raise
    except Exception as error:
        if not connecting and not isinstance(error, (MlflowException, SQLAlchemyError, RequestException)):
            raise
        if (message := explain(uri, error)) is not None:
            raise StoreError(message) from None
        if not connecting:
            raise
        raise StoreError(_no_mlflow(uri, error)) from None


def explain(uri: str, error: Exception) -> str | None:
    """Return what is wrong and what to do; None if this is no known error of a store."""
    text = _text(error)
    for pattern, message in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return message.format(address=mask(uri), text=text[:LENGTH])
    if re.search(_NO_ANSWER, text, re.IGNORECASE):
        return _no_mlflow(uri, error)
    return None


def _no_mlflow(uri: str, error: Exception) -> str:
    return (
        f"no MLflow at {mask(uri)}: start it, correct MLFLOW_TRACKING_URI, or unset it to use the embedded "
        f"store ({_text(error)[:LENGTH]})"
    )


def _text(error: Exception) -> str:
    """Return an error's text in one line, without credentials."""
    return mask(" ".join(f"{type(error).__name__}: {error}".split()))


def upgrade_command(uri: str) -> str:
    """Return the command that upgrades a database's schema, to be pasted into a shell."""
    # With a login, the variable stands for the URI: the command is printed.
    target = '"$MLFLOW_TRACKING_URI"' if "@" in urlsplit(uri).netloc else shlex.quote(uri)
    return f"mlflow db upgrade {target}"
