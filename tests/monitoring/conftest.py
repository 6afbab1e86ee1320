"""A small forest in production, and the report on any batch of synthetic customers."""

import pandas as pd
import pytest

from benchmarks.false_alarm_rate import trained
from helpers.data import load
from helpers.monitoring import evaluate_batch


@pytest.fixture(scope="session")
def reference() -> pd.DataFrame:
    return load()


@pytest.fixture(scope="session")
def model(reference):
    """Return a production model and its baseline."""
    return trained(reference, n_estimators=30, min_samples_leaf=5)


@pytest.fixture(scope="session")
def evaluate(reference, model):
    production, baseline = model
    return lambda batch: evaluate_batch(production, reference, batch, baseline)
