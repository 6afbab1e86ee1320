"""Runs outside the run tree, and what is logged on them."""

from unittest.mock import patch

from helpers.tracking import log_values


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
