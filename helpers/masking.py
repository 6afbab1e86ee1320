"""Credentials: what is printed, logged or stored goes through `mask` first."""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
SECRETS = (
    *("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "MLFLOW_AUTH_ADMIN_PASSWORD"),
    *("MLFLOW_FLASK_SERVER_SECRET_KEY", "PGPASSWORD", "MYSQL_PWD"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
URIS = (
    *("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_BACKEND_STORE_URI", "CHURN_SERVE_URL"),
    *("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
)
SHORTEST = 4  # a shorter value is part of too many words; in a URI it is hidden all the same

# After one slash, too: what `pathlib.Path` leaves of a URL.
_LOGIN = re.compile(r"(?<=:/|//)[^\s/?#'\"<>\\]*@")
# A database's password may contain "/" and "@".
_DATABASE_LOGIN = re.compile(r"((?:postgresql|mysql|mssql)[\w+]*:/+)[^\s'\"<>\\]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"^(?:[\w+.-]+:/+|/*(?=[^/:@]*:[^/]))([^/:@]*):(.*)@")  # the scheme may be forgotten
_QUERY = re.compile(r"(?<=[?&])((?:password|passwd|sslpassword|token)=)[^&\s'\"]*", re.IGNORECASE)


def mask(text: str) -> str:
    """Return a text without credentials.

    Logins are taken out of every URI. The passwords, tokens and keys of MLflow's, the databases' and the
    object store's environment variables are replaced, also percent-encoded or as a basic login.
    """
    logins = _logins()
    for user, password in logins:
        text = text.replace(f"{user}:{password}@", "")
    for secret in sorted(_secrets(logins), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _QUERY.sub(rf"\1{MASK}", _LOGIN.sub("", _DATABASE_LOGIN.sub(r"\1", text)))


def mask_notebook(file: Path) -> None:
    """Take credentials out of an executed notebook: of its outputs, tracebacks and parameters."""
    notebook = json.loads(file.read_text(encoding="utf-8"))
    masked = _mask_strings(notebook)
    if masked != notebook:
        file.write_text(json.dumps(masked, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _mask_strings(value: Any) -> Any:
    if isinstance(value, dict):
        images = {key: item for key, item in value.items() if key.startswith("image/")}
        return {key: _mask_strings(item) for key, item in value.items()} | images
    if isinstance(value, list):
        return [_mask_strings(item) for item in value]
    return mask(value) if isinstance(value, str) else value


def _logins() -> set[tuple[str, str]]:
    """Return the users and passwords in the environment's URIs."""
    matches = [_PASSWORD.search(os.environ.get(name, "")) for name in URIS]
    return {(match[1], match[2]) for match in matches if match}


def _secrets(logins: set[tuple[str, str]]) -> set[str]:
    """Return every form of the environment's secrets and of the passwords in its URIs."""
    logins = logins | {(unquote(user), unquote(password)) for user, password in logins}
    logins.add(
        (os.environ.get("MLFLOW_TRACKING_USERNAME", ""), os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    )
    values = {os.environ.get(name, "") for name in SECRETS} | {password for _, password in logins}
    values |= {
        base64.b64encode(f"{user}:{password}".encode()).decode() for user, password in logins if password
    }
    forms = {
        form for value in values for form in (value, unquote(value), quote(value, safe=""), quote_plus(value))
    }
    forms |= {json.dumps(value)[1:-1] for value in values}
    return {form for form in forms if len(form) >= SHORTEST}
