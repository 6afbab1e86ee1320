"""A user's own algorithms: where they come from, and what is said of those that cannot be used."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from helpers.config import ROOT
from helpers.errors import SettingError
from helpers.training import algorithm, algorithms, own_types, use_algorithms
from helpers.training.algorithms import ALGORITHMS
from helpers.training.own_algorithms import VARIABLE, _from_packages
from helpers.training.settings import TrainSettings

START = """
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from helpers.training import Algorithm

class Own(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return self
    def predict_proba(self, X):
        return X
"""
GRID = '{"C": [0.1, 1.0]}'
LOGREG = f'"own": Algorithm("own", LogisticRegression(), {GRID})'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file of algorithms; what was imported of it is forgotten afterwards."""
    before = set(sys.modules)

    def write(entries: str, name: str = "my_models.py", start: str = START) -> Path:
        (path := tmp_path / name).write_text(f"{start}\nALGORITHMS = {{{entries}}}\n")
        return path

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_file_adds_algorithms_in_this_process_and_those_it_starts(write, monkeypatch, tmp_path):
    assert list(algorithms()) == list(ALGORITHMS)
    path = write(LOGREG)
    monkeypatch.chdir(tmp_path)
    use_algorithms("my_models.py")
    assert list(algorithms()) == [*ALGORITHMS, "own"]
    assert os.environ[VARIABLE.name] == str(path)
    monkeypatch.chdir("/")
    assert algorithm("own").title == "own"
    use_algorithms(None)  # what this process started with
    assert list(algorithms()) == list(ALGORITHMS) and VARIABLE.name not in os.environ


def test_a_relative_path_is_tried_from_the_projects_root_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    use_algorithms("examples/my_classifier.py")
    assert os.environ[VARIABLE.name] == str(ROOT / "examples" / "my_classifier.py")
    assert own_types() == {"my_classifier.RankedBayes"}


def test_types_of_the_file_and_those_that_an_entry_names_are_trusted_while_it_is_in_use(write, monkeypatch):
    path = write(
        f'"own": Algorithm("own", LogisticRegression(), {GRID}, ("sklearn.feature_selection.f_classif",))'
    )
    use_algorithms(path)
    assert own_types() == {"my_models.Own", "sklearn.feature_selection.f_classif"}
    monkeypatch.delenv(VARIABLE.name)
    assert own_types() == set()


def test_settings_use_the_file_before_they_check_the_model(write):
    path = write(LOGREG)
    assert TrainSettings.check({"algorithms": str(path), "model": "own", "grid": {"C": [1.0]}}).model == "own"
    with pytest.raises(SettingError, match=r"unknown model 'mine': choose one of .*forest, own$"):
        TrainSettings.check({"model": "mine"})
    with pytest.raises(SettingError, match=r"^no file of algorithms nowhere\.py: check the path"):
        TrainSettings.check({"algorithms": "nowhere.py", "model": "mine"})
    with pytest.raises(SettingError, match="algorithms must be the path of a Python file"):
        TrainSettings.check({"algorithms": 5})
    TrainSettings.check({"algorithms": None})
    assert list(algorithms()) == list(ALGORITHMS)


def entry(
    estimator: str = "LogisticRegression()", grid: str = GRID, title: str = '"own"', more: str = ""
) -> str:
    return f'"own": Algorithm({title}, {estimator}, {grid}{more})'


ENTRIES = {
    "upper case": ('"Own": 5', "algorithm 'Own': 'Own' is no name: use lower-case letters, digits and _"),
    "no text": ("5: 5", "5 is no name"),
    "a name of ours": (LOGREG.replace('"own"', '"knn"', 1), "the name 'knn' is taken"),
    "no Algorithm": ('"own": LogisticRegression()', r"must be an Algorithm\(title, estimator, grid\), not L"),
    "title": (entry(title='" "'), "the title must be a line of text, not ' '"),
    "a class": (entry("LogisticRegression"), r"the class LogisticRegression: write LogisticRegression\(\)"),
    "no estimator": (entry('"knn"'), "str is no classifier of scikit-learn's kind"),
    "fitted": (entry("LogisticRegression().fit([[0], [1]], [0, 1])"), "LogisticRegression is fitted already"),
    "fitted inside": (
        entry("make_pipeline(LogisticRegression().fit([[0], [1]], [0, 1]))"),
        "Pipeline is fitted already",
    ),
    "grid is a list": (entry(grid="[1]"), r"grid must map parameters to lists of values, not \[1\]"),
    "empty grid": (entry(grid="{}"), "grid must map parameters"),
    "unknown key": (entry(grid='{"depth": [1]}'), "unknown grid key 'depth' for LogisticRegression: choose"),
    "no list": (entry(grid='{"C": 1}'), "grid key 'C' needs a non-empty list of values, not 1"),
    "no values": (entry(grid='{"C": []}'), "grid key 'C' needs a non-empty list"),
    "value": (entry(grid='{"C": [-1.0]}'), "grid key 'C' cannot be -1.0: .*must be a float in the range"),
    "types as text": (entry(more=', "a.B"'), "trusted_types must be a tuple of dotted names"),
    "unknown type": (entry(more=', ("sklearn.Nothing",)'), "'sklearn.Nothing', which cannot be imported"),
    "nameless type": (entry(more=', ("Nothing",)'), "trusted_types has 'Nothing', which"),
    "nothing": ("", r"has no ALGORITHMS = \{"),
}  # fmt: skip

CLASSES = {
    "no classifier": (
        "class Bad(BaseEstimator):\n def fit(self, X, y): ...\n def predict_proba(self, X): ...",
        "Bad is no classifier .* ClassifierMixin and BaseEstimator, in this order",
    ),
    "other order": ("class Bad(BaseEstimator, ClassifierMixin):\n def fit(self, X, y): ...", "in this order"),
    "no fit": ("class Bad(ClassifierMixin, BaseEstimator): ...", "has fit and predict_proba"),
    "no predict_proba": (
        "class Bad(ClassifierMixin, BaseEstimator):\n def fit(self, X, y): ...",
        "Bad has no predict_proba",
    ),
    "not cloneable": (
        "class Bad(Own):\n def __init__(self, C=1.0):\n  self.C = [C]",
        "Bad cannot be cloned: RuntimeError: Cannot clone object",
    ),
    "*args": ("class Bad(Own):\n def __init__(self, *args): ...", "Bad cannot be cloned: RuntimeError"),
    "own error": (
        "class Bad(Own):\n def get_params(self, deep=True):\n  raise KeyError('C\\nD')",
        r"Bad cannot be cloned: KeyError",
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_that_cannot_be_used_is_one_line(write, name):
    entries, message = ENTRIES[name]
    assert_refused(write(entries), message)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_that_cannot_be_used_is_one_line(write, name):
    source, message = CLASSES[name]
    assert_refused(write(entry("Bad()"), start=START + source), message)


FILES = {
    "syntax": ("x = 1\ny = (\n", "my_models.py, line 2: not Python: '\\(' was never closed"),
    "null byte": ("x = '\0'\n", "my_models.py: "),
    "package": ("import nowhere.inside\n", "line 1: needs the package nowhere, .*: pip install nowhere"),
    "name": ("from sklearn import Nothing\n", "line 1: ImportError: cannot import name 'Nothing'"),
    "error": ("\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    "lines": ("raise ValueError('a\\nb')\n", "ValueError: a b"),
    "end": ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3"),
    "no entries": ("ALGORITHM = {}\n", r"has no ALGORITHMS = \{"),
    "no dictionary": ("ALGORITHMS = [1]\n", r"has no ALGORITHMS = \{"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_imported_is_one_line_and_leaves_nothing(write, name):
    source, message = FILES[name]
    path = write("")
    path.write_text(source)
    assert_refused(path, message)
    path.write_text(f"{START}\nALGORITHMS = {{{LOGREG}}}\n")
    use_algorithms(path)


NAMES = {
    "json.py": "has the name of the module json, which is there already: rename the file",
    "xgboost.py": "the module xgboost",
    "sys.py": "the module sys",
    "helpers.py": "the module helpers",
    "my-models.py": "name it like a Python module, as in my_models.py",
    "my.models.py": "name it like a Python module",
    "class.py": "name it like a Python module",
    "__main__.py": "name it like a Python module",
    "my_models.txt": "name it like a Python module",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_that_is_no_module_of_its_own_is_refused(write, name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)  # as the current folder is in a notebook
    if name == "xgboost.py":
        pytest.importorskip("xgboost")
    assert_refused(write(LOGREG, name), NAMES[name])


def test_a_file_in_a_folder_of_modules_is_imported_once(write, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "other" / "my_models").mkdir(parents=True)  # a folder is no module
    monkeypatch.syspath_prepend(tmp_path / "other")
    path = write(LOGREG)
    module = importlib.import_module("my_models")
    use_algorithms(path)
    assert algorithm("own") is module.ALGORITHMS["own"]


def test_a_missing_file_a_folder_and_another_file_of_the_same_name(write, tmp_path):
    assert_refused(
        tmp_path / "nowhere.py", r"no file of algorithms .*nowhere\.py: check the path \(CHURN_ALGO"
    )
    (tmp_path / "folder.py").mkdir()
    assert_refused(tmp_path / "folder.py", "no file of algorithms")
    use_algorithms(write(LOGREG))
    (tmp_path / "other").mkdir()
    assert_refused(write(LOGREG, "other/my_models.py"), "the module my_models, which is there already")
    assert "own" in algorithms()


def assert_refused(path: Path, message: str) -> None:
    """Assert that a file is refused in one line that names it, and that what was in use still is."""
    before = os.environ.get(VARIABLE.name)
    with pytest.raises(SettingError, match=message) as caught:
        use_algorithms(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert os.environ.get(VARIABLE.name) == before


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package with an entry point, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)
    _from_packages.cache_clear()

    def install(name: str, source: str, target: str = "shop_models:OWN") -> None:
        (tmp_path / "shop_models.py").write_text(source)
        (info := tmp_path / "shop_models-1.0.dist-info").mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-models\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[churn.algorithms]\n{name} = {target}\n")

    yield install
    _from_packages.cache_clear()
    sys.modules.pop("shop_models", None)


OWN = f'{START}\nOWN = Algorithm("of a package", LogisticRegression(), {GRID}, ("shop_models.Own",))\n'


def test_an_entry_point_adds_an_algorithm(install, write):
    install("shop", OWN)
    assert algorithm("shop").title == "of a package"
    assert own_types() == {"shop_models.Own"}
    use_algorithms(write(LOGREG))
    assert list(algorithms()) == [*ALGORITHMS, "shop", "own"]


def test_a_file_cannot_take_the_name_of_an_entry_point(install, write):
    install("own", OWN)
    assert_refused(write(LOGREG), "the name 'own' is taken")


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("shop", "", "cannot be loaded: AttributeError: .*'OWN'"),
        ("shop", "import nowhere", "cannot be loaded: needs the package nowhere, which is not installed"),
        ("shop", "OWN = 5", r"algorithm 'shop': must be an Algorithm\(.*not 5"),
        ("knn", OWN, "the name 'knn' is taken"),
    ],
)
def test_an_entry_point_that_cannot_be_used_names_its_package(install, name, source, message):
    install(name, source)
    with pytest.raises(SettingError, match=f"^entry point {name} of the package shop-models.*{message}"):
        algorithms()
