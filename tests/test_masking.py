import base64
import json

import pytest

from helpers.errors import DataError
from helpers.masking import mask, mask_notebook

LOGIN = base64.b64encode(b"anna:s!cret/7").decode()


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:s%21cret%2F7@127.0.0.1:9/mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token-of-anna")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key+of/the=bucket")


@pytest.mark.parametrize(
    "text",
    [
        "HTTPConnectionPool: http://anna:s%21cret%2F7@127.0.0.1:9/mlflow refused",
        "password s!cret/7 is wrong",
        "password s%21cret%2f7 is wrong".replace("%2f", "%2F"),
        f"Authorization: Basic {LOGIN}",
        "Bearer token-of-anna",
        "sign with key+of/the=bucket or key%2Bof%2Fthe%3Dbucket",
        "another URI: postgresql+psycopg2://anna:s!cret7@host/db",
        "sqlite://anna:s!cret7@/x.db and https://s!cret7@host",
        "postgresql://host/db?user=anna&password=s!cret7",
        '"http://anna:s!cret7@host"',
        "no file https:/anna:s!cret7@host/x.csv (tried /home/me/https:/anna:s!cret7@host/x.csv)",
        "postgresql+psycopg2://anna:s!cret/a@b/7@host/db refused",
    ],
)
def test_no_credential_is_left_in_a_text(text):
    masked = mask(text)
    assert not any(
        part in masked for part in ("s!cret", "s%21cret", LOGIN, "token-of-anna", "key+of", "key%2B")
    )


def test_a_text_without_credentials_is_unchanged():
    for text in ("http://host/a@b", "sqlite:////home/me@work/mlflow.db", "mail anna@host", "50 % of s"):
        assert mask(text) == text


@pytest.mark.parametrize("uri", ["sqlite:////home/me@work/mlflow.db", "file:/home/me@work/mlruns"])
def test_a_path_with_an_at_sign_is_no_login(uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert mask(f"no MLflow at {uri}") == f"no MLflow at {uri}"


def test_a_short_password_is_hidden_in_its_uri_only(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:db@host")
    assert mask("mlflow db upgrade http://anna:db@host") == "mlflow db upgrade http://host"


@pytest.mark.parametrize(
    "uri",
    [
        "anna:s!cret@127.0.0.1:5000",
        "//anna:s!cret@127.0.0.1:5000",
        "http:/anna:s!cret@127.0.0.1:5000",
        "http://anna:s!cret@[::1",
    ],
)
def test_a_mistyped_uri_keeps_its_password_to_itself(uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert "cret" not in mask(f"{uri} is wrong; s!cret too")


def test_a_short_password_with_a_slash_is_hidden_in_its_uri(monkeypatch):
    for uri in ("postgresql+psycopg2://anna:a/b@127.0.0.1:1/db", "http://anna:a/b@host"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert "a/b" not in mask(f"no MLflow at {uri}")


def test_every_error_of_the_project_is_masked():
    assert str(DataError("a wrong token-of-anna, no?")) == "a wrong ***, no?"
    assert "cret" not in str(DataError("cannot read http://anna:s!cret/7@host/x.csv"))


def test_executed_notebook_has_no_credential_in_outputs_tracebacks_and_parameters(tmp_path):
    file, uri = tmp_path / "out.ipynb", "http://anna:s%21cret%2F7@127.0.0.1:9"
    cell = {"source": f'data = "{uri}"', "outputs": [{"traceback": [uri], "evalue": uri, "text": uri}]}
    image = {"outputs": [{"data": {"image/png": "token-of-anna"}}]}  # by chance
    file.write_text(json.dumps({"cells": [cell, image], "metadata": {"papermill": {"exception": uri}}}))
    mask_notebook(file)
    assert "cret" not in file.read_text()
    assert json.loads(file.read_text())["cells"][1] == image
