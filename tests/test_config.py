import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from helpers.config import folds, set_mlflow_defaults
from tests.support.bank import COLUMNS, FEATURES, IDENTIFIERS, TARGET


def test_every_column_is_an_identifier_a_feature_or_the_target():
    assert sorted(COLUMNS) == sorted([*IDENTIFIERS, *FEATURES, TARGET])


def test_folds_are_five_stratified_and_shuffled_with_the_projects_seed():
    y = np.arange(100) % 4 == 0
    expected = StratifiedKFold(5, shuffle=True, random_state=42).split(y, y)
    for (_, rows), (_, expected_rows) in zip(folds().split(y, y), expected, strict=True):
        np.testing.assert_array_equal(rows, expected_rows)


def test_importing_config_needs_no_library():
    heavy = "{'sklearn', 'pandas', 'numpy', 'mlflow'}"
    program = f"import helpers.config, sys; sys.exit(bool({heavy} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        (None, None, "127.0.0.1,localhost,::1"),
        ("", "", "127.0.0.1,localhost,::1"),
        (None, "s3.bank.example, localhost", "s3.bank.example,localhost,127.0.0.1,::1"),
        (".bank.example", "10.0.0.0/8", ".bank.example,10.0.0.0/8,127.0.0.1,localhost,::1"),
    ],
)
def test_loopback_is_added_to_what_the_user_exempts_from_the_proxy(monkeypatch, lower, upper, merged):
    for name, value in (("no_proxy", lower), ("NO_PROXY", upper)):
        monkeypatch.setenv(name, value or "")
        if value is None:
            monkeypatch.delenv(name)
    for _ in range(2):  # and once only
        set_mlflow_defaults()
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == merged


def test_an_exemption_of_every_host_is_kept(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    set_mlflow_defaults()
    assert os.environ["no_proxy"] == "*"
