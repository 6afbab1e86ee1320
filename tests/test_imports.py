"""What importing a package does: it changes nothing in the process, and loads no more than it needs."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.config import ROOT

PACKAGES = sorted(path.parent.name for path in (ROOT / "helpers").glob("*/__init__.py"))
MODULES = [
    "helpers",
    *(f"helpers.{name}" for name in PACKAGES),
    "helpers.config",
    "helpers.errors",
    "helpers.files",
]

# Every import happens in a fork, so each begins with a process in which nothing of the project is imported.
PROBE = """
import importlib, json, logging, os, signal, sys, warnings

def in_fork(function, module):
    read, write = os.pipe()
    if not os.fork():
        with os.fdopen(write, "w") as out:
            json.dump(function(module), out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        return json.load(answer)

def loaded_by(module):
    importlib.import_module(module)
    return sorted(sys.modules)

def state():
    import matplotlib, sqlalchemy
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    loggers = [None, "mlflow", "alembic", "sqlalchemy.engine", "py.warnings"]
    return {
        "environment": dict(os.environ),
        "warning filters": [str(entry) for entry in warnings.filters],
        "log levels": {str(name): logging.getLogger(name).level for name in loggers},
        "handlers": {str(name): len(logging.getLogger(name).handlers) for name in loggers},
        "signal handlers": {str(number): str(signal.getsignal(number)) for number in signal.valid_signals()},
        "synchronous": synchronous,
        "matplotlib": {key: str(value) for key, value in dict.items(matplotlib.rcParams)},
        "folder": os.getcwd(),
    }

def changes(module):
    before = state()
    importlib.import_module(module)
    after = state()
    return {key: [before[key], after[key]] for key in before if before[key] != after[key]}

modules = json.loads(sys.argv[1])
loaded = {module: in_fork(loaded_by, module) for module in modules}
# What the libraries do when they are imported is theirs.
for name in sorted({name for names in loaded.values() for name in names} | {"matplotlib", "sqlalchemy"}):
    if name.partition(".")[0] not in ("helpers", "__main__", "__mp_main__"):
        try:
            importlib.import_module(name)
        except Exception:
            pass
changed = {module: in_fork(changes, module) for module in modules}
print(json.dumps({"loaded": loaded, "changed": changed}))
"""


@pytest.fixture(scope="module")
def imports(tmp_path_factory) -> dict[str, dict]:
    """Return what each module loads and changes, in a process that has none of this project's settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_") and k != "DO_NOT_TRACK"}
    home = str(tmp_path_factory.mktemp("home"))  # MLflow writes its installation id there
    command = [sys.executable, "-c", PROBE, json.dumps(MODULES)]
    environment |= {"HOME": home, "XDG_CONFIG_HOME": home, "PYTHONPATH": str(ROOT)}
    probe = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home)
    assert probe.returncode == 0, probe.stderr
    return json.loads(probe.stdout.splitlines()[-1])


@pytest.mark.parametrize("module", MODULES)
def test_importing_a_package_changes_nothing_in_the_process(imports, module):
    assert imports["changed"][module] == {}


@pytest.mark.parametrize("module", MODULES)
def test_importing_a_package_loads_no_plotting(imports, module):
    assert "matplotlib" not in imports["loaded"][module]


@pytest.mark.parametrize("package", ["data", "eda", "training", "search", "cli"])
def test_packages_below_tracking_and_the_command_line_load_no_mlflow(imports, package):
    assert "mlflow" not in imports["loaded"][f"helpers.{package}"]


def users() -> dict[str, str]:
    """Return the source of everything that uses the packages, by path."""
    sources = {}
    for folder in ("helpers", "benchmarks", "tools"):
        sources |= {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / folder).rglob("*.py")}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
        sources[str(path.relative_to(ROOT))] = "\n".join(
            line for line in lines if not line.startswith(("%", "!"))
        )
    return sources


def imported_names(source: str) -> list[tuple[str, str]]:
    """Return module and name of every ``from helpers... import ...``."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return [
        (node.module, alias.name)
        for node in nodes
        if node.module and node.module.startswith("helpers.")
        for alias in node.names
    ]


def test_names_of_another_package_come_from_its_public_face():
    wrong = []
    for path, source in users().items():
        parts = Path(path).parts
        own = parts[1] if parts[0] == "helpers" and len(parts) > 2 else None
        for module, name in imported_names(source):
            package = module.split(".")[1]
            if package not in PACKAGES or package in (own, "cli"):
                continue
            plots = name.endswith("plots") and (ROOT / "helpers" / package / f"{name}.py").is_file()
            if module.count(".") > 1 or (not plots and name not in importlib.import_module(module).__all__):
                wrong.append(f"{path}: {module}.{name}")
    assert wrong == []
