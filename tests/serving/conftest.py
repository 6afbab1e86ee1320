"""A registry with a tree in production, and a server on it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from helpers.data import load
from helpers.serving import model_server
from helpers.tracking import Store, connect
from tests.serving.versions import promote_model
from tests.support import stores
from tests.support.bank import NEW_CUSTOMERS


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load(NEW_CUSTOMERS, target=False)


@pytest.fixture(scope="module")
def registry(fitted, sample) -> Iterator[Store]:
    """Return a store with a tree in production."""
    with stores.in_use(stores.empty()):
        store = connect()
        promote_model(store, "tree", fitted["tree"], sample)
        yield store


@pytest.fixture(scope="module")
def url(registry) -> Iterator[str]:
    with model_server() as url:
        yield url
