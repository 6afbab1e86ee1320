"""Runs outside the run tree, and what is logged on them."""

from unittest.mock import patch

import pytest
from mlflow.exceptions import MlflowException

from helpers.config import PACKAGES
from helpers.tracking import log_values, metric_name, runs, single_run
from helpers.tracking.runs import provenance
from helpers.tracking.stale_runs import HEARTBEAT, OWNER, owner


def test_run_ends_with_its_block(store):
    with single_run(store, "dataset") as run_id:
        assert store.client.get_run(run_id).info.status == "RUNNING"
    assert store.client.get_run(run_id).info.status == "FINISHED"


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_failed_run_ends_with_the_runs_below_it(store, error, status):
    with pytest.raises(error), single_run(store, "dataset") as run_id:
        tags = {"mlflow.parentRunId": run_id}
        child = store.client.create_run(store.experiment_id, tags=tags).info.run_id
        raise error
    assert store.client.get_run(run_id).info.status == status
    assert store.client.get_run(child).info.status == status


def test_error_of_the_block_is_raised_though_the_store_has_failed_too(store, monkeypatch):
    def fail(*_):
        raise MlflowException("the server is gone")

    monkeypatch.setattr(runs, "terminate_run", fail)
    with pytest.raises(ValueError, match="the reason"), single_run(store, "dataset"):
        raise ValueError("the reason")


def test_run_says_what_made_it(store):
    with single_run(store, "dataset", {"notebook": "02"}) as run_id:
        tags = store.client.get_run(run_id).data.tags
    assert tags["level"] == "dataset"
    assert tags["notebook"] == "02"
    assert tags[OWNER] == owner()
    assert float(tags[HEARTBEAT]) > 0
    assert tags.items() >= provenance().items()
    assert {f"version.{name}" for name in PACKAGES} <= tags.keys()


def test_values_of_all_kinds_are_logged_in_one_call(store):
    run_id = store.client.create_run(store.experiment_id).info.run_id
    with patch.object(store.client, "log_batch", wraps=store.client.log_batch) as log_batch:
        log_values(store, run_id, params={"depth": 3}, metrics={"f1": 0.5}, tags={"decision": "keep"})
    assert log_batch.call_count == 1
    run = store.client.get_run(run_id)
    assert run.data.params == {"depth": "3"}
    assert run.data.metrics == {"f1": 0.5}
    assert run.data.tags["decision"] == "keep"


def test_values_beyond_mlflows_limits_are_logged_in_as_few_calls_as_possible(store):
    run_id = store.client.create_run(store.experiment_id).info.run_id
    params = {f"p{number}": number for number in range(250)}
    metrics = {f"m{number}": number / 7 for number in range(1700)}
    tags = {f"t{number}": str(number) for number in range(150)}
    with patch.object(store.client, "log_batch", wraps=store.client.log_batch) as log_batch:
        log_values(store, run_id, params=params, metrics=metrics, tags=tags)
    assert log_batch.call_count == 3
    run = store.client.get_run(run_id)
    assert run.data.params == {name: str(value) for name, value in params.items()}
    assert run.data.metrics == metrics
    assert run.data.tags.items() >= tags.items()


def test_nothing_to_log_makes_no_call(store):
    with patch.object(store.client, "log_batch") as log_batch:
        log_values(store, "no such run")
    assert not log_batch.called


def test_any_column_gives_a_metric_a_name_of_its_own(store):
    columns = ["Age", "churn rate", "Größe (m²)", "a/b", "a:b", "..", "50%", "x" * 300, "x" * 299 + "y", "$"]
    names = [metric_name("distribution", column) for column in columns]
    assert names[:2] == ["distribution/Age", "distribution/churn_rate"]
    assert len(set(names)) == len(names)
    with single_run(store, "dataset") as run_id:
        log_values(store, run_id, metrics=dict.fromkeys(names, 1.0))
    assert store.client.get_run(run_id).data.metrics.keys() == set(names)
