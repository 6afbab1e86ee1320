"""Private names of scikit-learn and MLflow are used in one module each, which has a fallback for them."""

import ast
from collections.abc import Iterator

import pytest

from helpers.config import ROOT

ALLOWED = {"helpers/search/_sklearn.py": "sklearn", "helpers/tracking/_mlflow.py": "mlflow"}
# MLflow's undocumented modules have no underscore.
INTERNAL = (
    "mlflow.pyfunc.scoring_server",
    "mlflow.store.",
    "mlflow.telemetry",
    "mlflow.tracking.context",
    "mlflow.utils.",
)
NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield every imported name with its module in front."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private_imports(tree: ast.AST) -> list[str]:
    names = [name for name in imports(tree) if name.split(".")[0] in ("sklearn", "mlflow")]
    return [name for name in names if name.startswith(INTERNAL) or any(map(is_private, name.split(".")))]


def private_attributes(tree: ast.AST) -> Iterator[str]:
    """Yield the private attributes of other objects, as ``x._name`` or ``getattr(x, "_name")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if is_private(node.attr) and node.attr not in NAMED_TUPLE and not own:
                yield node.attr
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr", "setattr"):
            name = getattr(node.args[1], "value", None)
            if isinstance(name, str) and is_private(name):
                yield name


def test_private_names_are_used_in_one_module_per_library():
    for folder in ("helpers", "benchmarks", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            module, tree = str(path.relative_to(ROOT)), ast.parse(path.read_text())
            library = ALLOWED.get(module)
            assert [name for name in private_imports(tree) if name.split(".")[0] != library] == [], module
            assert library or list(private_attributes(tree)) == [], module


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.tree._tree import Tree",
        "from sklearn.utils import _safe_indexing",
        "import sklearn.tree._classes",
        "from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore",
        "from mlflow.utils.uri import append_to_uri_path",
        "from mlflow.tracking.context.registry import resolve_tags",
        "from mlflow.pyfunc import scoring_server",
        "knn._fit_method",
        "getattr(client, '_tracking_client')",
    ],
)
def test_every_kind_of_private_name_is_detected(source: str):
    tree = ast.parse(source)
    assert private_imports(tree) or list(private_attributes(tree))


def test_public_names_are_allowed():
    tree = ast.parse("from mlflow.tracking import MlflowClient; import sklearn.tree; self._x; x._replace()")
    assert not private_imports(tree) and not list(private_attributes(tree))
