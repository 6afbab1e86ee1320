import subprocess
import sys

import numpy as np
from sklearn.model_selection import StratifiedKFold

from helpers.config import COLUMNS, FEATURES, IDENTIFIERS, TARGET, folds


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
