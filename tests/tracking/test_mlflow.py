"""Without an MLflow name outside its documented API, a training is tracked all the same."""

import importlib
from types import SimpleNamespace

import mlflow
import pytest
from mlflow.store.tracking.dbmodels import models

from helpers.tracking import _mlflow, model_server_command
from helpers.tracking.run_writers import ClientWriter, DatabaseWriter, make_writer
from tests.support.trainings import assert_complete, track

DATABASE_NAMES = [
    ("mlflow.store.tracking.dbmodels.models", "SqlRun"),
    ("mlflow.store.tracking.dbmodels.models", "SqlTag"),
    ("mlflow.store.tracking.dbmodels.models", "SqlParam"),
    ("mlflow.store.tracking.dbmodels.models", "SqlMetric"),
    ("mlflow.store.tracking.dbmodels.models", "SqlLatestMetric"),
    ("mlflow.store.tracking.sqlalchemy_store", "SqlAlchemyStore"),
    ("mlflow.utils.uri", "append_to_uri_path"),
    ("mlflow.utils.validation", "_validate_batch_log_data"),
]
OTHER_NAMES = [
    ("mlflow.tracking.context.registry", "resolve_tags"),
    ("mlflow.telemetry", "set_telemetry_client"),
]


@pytest.fixture
def replace(monkeypatch):
    """Return a function that reloads `_mlflow` while an MLflow name is missing or replaced."""

    def reload_without(module: str, name: str, value: object = None) -> None:
        with monkeypatch.context() as hidden:
            if value is None:
                hidden.delattr(importlib.import_module(module), name)
            else:
                hidden.setattr(importlib.import_module(module), name, value)
            importlib.reload(_mlflow)

    yield reload_without
    importlib.reload(_mlflow)


@pytest.mark.parametrize(("module", "name"), DATABASE_NAMES)
def test_without_a_database_name_the_client_writes_the_training(store, sample, result, replace, module, name):
    assert isinstance(make_writer(store), DatabaseWriter)
    replace(module, name)
    assert isinstance(make_writer(store), ClientWriter)
    assert_complete(store, track(store, sample, result), result)


@pytest.mark.parametrize(("module", "name"), OTHER_NAMES)
def test_without_another_name_the_training_is_complete(store, sample, result, replace, module, name):
    replace(module, name)
    _mlflow.reread_settings(None)
    assert_complete(store, track(store, sample, result), result)


def test_table_with_an_unknown_column_is_written_by_the_client(store, replace):
    columns = dict.fromkeys([*models.SqlParam.__table__.columns.keys(), "workspace"])
    changed = SimpleNamespace(__tablename__="params", __table__=SimpleNamespace(columns=columns))
    replace(models.__name__, "SqlParam", changed)
    assert isinstance(make_writer(store), ClientWriter)


@pytest.mark.parametrize("name", ["ManagedSessionMaker", "sanitize_metric_value"])
def test_store_without_a_method_is_written_by_the_client(store, monkeypatch, name):
    database = _mlflow._tracking_store(store.client)
    monkeypatch.delattr(database if name in vars(database) else type(database), name)
    assert isinstance(make_writer(store), ClientWriter)


def test_client_without_its_store_is_used_as_it_is():
    assert _mlflow.run_database(SimpleNamespace()) is None
    _mlflow.commit_without_waiting(SimpleNamespace())


def test_tags_from_public_sources_are_those_of_mlflow(monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"workflow": "w1"}')
    expected = _mlflow.run_context_tags()
    monkeypatch.setattr(_mlflow, "resolve_tags", None)
    tags = _mlflow.run_context_tags()
    assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type", "workflow"} == tags.keys()
    assert expected.items() >= tags.items()


def test_without_its_server_command_mlflow_serves_the_model(monkeypatch):
    from mlflow.pyfunc import scoring_server

    command, variables = model_server_command("app:make", "/tmp/model", "127.0.0.1", 8080, 2)
    assert command[:2] == ["-m", "uvicorn"]
    assert {"--host", "127.0.0.1", "--port", "8080", "--workers", "2"} <= set(command)
    assert "/tmp/model" in str(variables)
    monkeypatch.delattr(scoring_server, "get_cmd")
    command, _ = model_server_command("app:make", "/tmp/model", "127.0.0.1", 8080, 2)
    assert command[:4] == ["-m", "mlflow", "models", "serve"]
    from mlflow.models.cli import serve

    context = serve.make_context("serve", command[4:])
    assert context.params["model_uri"] == "/tmp/model"
    assert (context.params["port"], context.params["workers"]) == (8080, "2")


def test_names_are_those_of_this_mlflow():
    assert _mlflow.DATABASE_IS_KNOWN, mlflow.__version__
    assert _mlflow.resolve_tags and _mlflow.set_telemetry_client
