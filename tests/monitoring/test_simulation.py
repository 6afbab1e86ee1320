"""Simulated shifts of a table without a generator: the model's own hold-out, changed."""

import numpy as np
import pytest

from helpers.data import UNKNOWN, load, split
from helpers.errors import SettingError
from helpers.monitoring import simulate_batch
from helpers.table import use_table
from tests.support.wide import write_wide_table


@pytest.fixture
def reference(tmp_path):
    description, table = write_wide_table(tmp_path)
    use_table(description)
    return load(table)


def changed(reference, shift: str, strength: float = 0.5) -> dict[str, float]:
    """Return the share of customers that a shift changed, by column."""
    before, after = (simulate_batch(shift, s, 3, reference=reference) for s in (0.0, strength))
    assert set(after.index) <= set(split(reference).X_test.index)
    differs = ~((before == after) | (before.isna() & after.isna()))
    return {name: share for name, share in differs.mean().items() if share}


def test_each_shift_changes_what_it_says_and_nothing_else(reference):
    covariate = changed(reference, "covariate")
    assert len(covariate) == 2 and set(covariate.values()) == {1.0}
    assert changed(reference, "concept").keys() == {"default_flag"}
    (missing,) = changed(reference, "missing").items()
    (category,) = changed(reference, "category").items()
    for name, share in (missing, category):
        assert 0.3 < share < 0.7, name
    batch = simulate_batch("category", 0.5, 3, reference=reference)
    assert (batch[category[0]] == UNKNOWN).mean() == pytest.approx(category[1])


def test_the_same_seed_gives_the_same_customers(reference):
    first, again = (simulate_batch("concept", 0.5, 3, reference=reference) for _ in range(2))
    assert first.equals(again)
    assert not first.equals(simulate_batch("concept", 0.5, 4, reference=reference))
    assert np.isfinite(first["default_flag"]).all()


def test_without_a_reference_there_is_no_batch(reference):
    with pytest.raises(SettingError, match="no generator for credit_default"):
        simulate_batch("covariate", 0.5, 3)
