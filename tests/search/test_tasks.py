"""Preprocessing is shared, rows are split as GridSearchCV splits them, and an error ends all tasks."""

import subprocess
import sys
import threading
from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from helpers.config import ROOT
from tests.support.searches import assert_same, search


class Counting(StandardScaler):
    """A scaler that counts its fits."""

    fits: ClassVar = Counter()
    lock = threading.Lock()

    def fit(self, X, y=None, sample_weight=None):
        with self.lock:
            self.fits[self.with_mean] += 1
        return super().fit(X, y, sample_weight)


def test_preprocessing_is_fitted_once_per_fold(sample):
    X, y = sample.X_train[:300], sample.y_train[:300]
    pipeline = make_pipeline(Counting(), DecisionTreeClassifier(random_state=0))
    Counting.fits.clear()
    grid = {"decisiontreeclassifier__max_depth": [1, 2, 3, 4], "counting__with_mean": [True, False]}
    result = search(pipeline, grid, X.select_dtypes("number"), y)
    Counting.fits[result.best_params_["counting__with_mean"]] -= 1  # the refit's
    assert Counting.fits == {True: 3, False: 3}


@pytest.fixture(scope="module")
def numbers():
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 4))
    return X, (X[:, 0] + random.normal(size=120) > 0).astype(int)


@pytest.mark.parametrize("make_table", [np.asarray, csr_array, np.ndarray.tolist])
def test_arrays_sparse_matrices_and_lists_are_split_by_rows(numbers, make_table):
    X, y = numbers
    assert_same(LogisticRegression(), {"C": [0.1, 1]}, make_table(X), y.tolist())


def test_a_precomputed_kernel_is_split_by_rows_and_columns(numbers):
    X, y = numbers
    assert_same(SVC(kernel="precomputed"), {"C": [0.1, 1]}, X @ X.T, y)


def test_folds_may_be_given_as_masks_and_lists(numbers):
    X, y = numbers
    first = np.arange(120) < 60
    cv = [(first, ~first), (list(range(60, 120)), list(range(60)))]
    expected = search(DecisionTreeClassifier(random_state=0), {"max_depth": [2]}, X, y, cv=[cv[1]])
    result = search(DecisionTreeClassifier(random_state=0), {"max_depth": [2]}, X, y, cv=cv)
    assert result.cv_results_["split1_test_f1"] == expected.cv_results_["split0_test_f1"]


def test_a_failing_search_ends_the_process_with_its_error():
    program = (
        "from sklearn.datasets import make_classification\n"
        "from sklearn.tree import DecisionTreeClassifier as Tree\n"
        "from tests.support.searches import search\n"
        "grid = {'max_depth': list(range(2, 40)), 'min_samples_leaf': [1, 0]}\n"
        "search(Tree(), grid, *make_classification(4000, 11, random_state=0))"
    )
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 1, process.stderr  # 134 if a thread is stopped inside of a tree's C++
    assert "'min_samples_leaf': 0" in process.stderr.splitlines()[-1]
