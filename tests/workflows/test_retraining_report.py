from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from helpers.data import MergedTable
from helpers.workflows import RetrainingOutcome
from helpers.workflows.retraining_report import PROMOTED, log_outcome


@pytest.fixture
def outcome() -> RetrainingOutcome:
    report: Any = SimpleNamespace(n_customers=10, n_outcomes=8, decision="retrain", reasons=["Age: PSI 0.40"])
    monitoring: Any = SimpleNamespace(
        report=report,
        production=SimpleNamespace(version=3),
        batch_path=SimpleNamespace(name="new.csv"),
        run_id="m1",
    )
    merged = MergedTable(pd.DataFrame(), 100, 7, 2, 1, {"no outcome": 2, "missing value": 0})
    challengers = pd.DataFrame({"algorithm": ["tree"], "CV F1": [0.5]})
    gates = pd.DataFrame({"name": ["schema"], "passed": [True]})
    return RetrainingOutcome(
        PROMOTED, "It is better.", monitoring, 4, merged, challengers, gates, {"workflow": "w1"}
    )


def test_the_report_in_markdown(outcome):
    expected = """# Retraining: a new model is in production

It is better.

Batch `new.csv`: 10 customers, 8 with both score and outcome. Production version: 3 before, 4 now.

## Monitoring decision: retrain

- Age: PSI 0.40

## Customers

|  | customers |
| --- | ---: |
| old customers | 100 |
| new customers | 7 |
| new customers who churned | 2 |
| new rows that replace old ones | 1 |
| dropped: no outcome | 2 |

## Challengers

| algorithm | CV F1 |
| --- | ---: |
| tree | 0.5000 |

## Gates of the best challenger

| name | passed |
| --- | --- |
| schema | True |
"""
    assert outcome.markdown() == expected


def test_an_outcome_is_logged_in_one_call(store, outcome, monkeypatch):
    run_id = store.client.create_run(store.experiment_id).info.run_id
    for name in ("log_metric", "log_param", "set_tag"):
        monkeypatch.delattr(MlflowClient, name)
    log_outcome(store, run_id, outcome)
    run = store.client.get_run(run_id).data
    values = {
        "outcome": "promoted",
        "decision": "retrain",
        "production_version": "3",
        "production_version_after": "4",
    }
    assert run.params == values
    assert values.items() | {("workflow", "w1"), ("monitoring_run", "m1")} <= run.tags.items()
    assert run.metrics == {
        "rows/added": 7,
        "rows/replaced": 1,
        "rows/no_outcome": 2,
        "rows/missing_value": 0,
    }
