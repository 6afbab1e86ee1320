"""What stays on this machine is not seen by a proxy; a server that ends is told from a slow one."""

import pandas as pd
import pytest

from helpers.errors import ServingError
from helpers.registry import load_production_model
from helpers.serving import model_server, request_scores
from tests.support.servers import recording_proxy


def test_customers_are_scored_on_this_machine_without_the_proxy(registry, customers, monkeypatch):
    expected = load_production_model(registry.client).score(customers)
    with recording_proxy(monkeypatch) as seen, model_server() as url:
        for address in (url, url.replace("127.0.0.1", "localhost")):
            pd.testing.assert_frame_equal(request_scores(address, customers), expected, check_exact=True)
    assert seen == []


def test_a_slow_server_is_told_from_one_that_ended(registry, monkeypatch):
    monkeypatch.setattr("helpers.serving.server.SECONDS_TO_START", 0)
    with pytest.raises(ServingError, match="the model server did not answer within 0 s"), model_server():
        pass
