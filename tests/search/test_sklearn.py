"""Each private name of scikit-learn may be gone: the search then gives the same results without it."""

import subprocess
import sys

import pytest
from sklearn.neighbors import KNeighborsClassifier

from helpers.config import ROOT
from helpers.search import nearest_neighbors
from helpers.training.algorithms import make_pipeline
from tests.support.searches import assert_same

# In a process of its own the name is hidden while the search is imported; scikit-learn itself needs it again.
FOREST_WITHOUT = """
import sys
import sklearn.ensemble
{hide}
from helpers.search import _sklearn
{restore}
assert not _sklearn.CAN_BUILD_TREES
from sklearn.datasets import make_classification
from tests.support.searches import assert_same
X, y = make_classification(200, random_state=0)
grid = {{"n_estimators": [3, 6], "class_weight": [None, "balanced"]}}
assert_same(sklearn.ensemble.RandomForestClassifier(random_state=0), grid, X, y)
"""


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.tree._classes.CRITERIA_CLF",
        "sklearn.tree._classes.DENSE_SPLITTERS",
        "sklearn.tree._tree.DepthFirstTreeBuilder",
        "sklearn.tree._tree.Tree",
    ],
)
def test_without_a_name_of_the_tree_builder_the_forest_grows_its_own_trees(name):
    _run(FOREST_WITHOUT.format(hide=f"hidden = {name}; del {name}", restore=f"{name} = hidden"))


@pytest.mark.parametrize("module", ["sklearn.tree._classes", "sklearn.tree._tree"])
def test_without_a_module_of_the_tree_builder_the_forest_grows_its_own_trees(module):
    hide = f"hidden = sys.modules[{module!r}]; sys.modules[{module!r}] = None"
    _run(FOREST_WITHOUT.format(hide=hide, restore=f"sys.modules[{module!r}] = hidden"))


def _run(program: str) -> None:
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_without_the_search_methods_name_neighbors_are_searched_for_every_combination(sample, monkeypatch):
    renamed = property(lambda self: self._method, lambda self, value: setattr(self, "_method", value))
    monkeypatch.setattr(KNeighborsClassifier, "_fit_method", renamed, raising=False)
    X, y = sample.X_train[:300], sample.y_train[:300]
    grid = {"classify__n_neighbors": [3, 8], "classify__weights": ["uniform", "distance"]}
    assert_same(make_pipeline("knn"), grid, X, y)
    knn = KNeighborsClassifier(algorithm="kd_tree")
    with pytest.raises(ValueError, match="found with a tree"):
        nearest_neighbors.fit([knn], X[["Age", "Balance"]].to_numpy(), y.to_numpy(), [])
