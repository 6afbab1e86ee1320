"""Installing the project: its dependencies, their pins, and a wheel in an empty environment."""

import ast
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.config import ROOT
from helpers.data import load
from helpers.errors import ExitCode

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
WINGS = sorted(path.parent.name for path in (ROOT / "helpers").glob("*/__init__.py"))


def pins(file: str) -> dict[str, str]:
    """Return the versions that a requirements file pins."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if "==" in line]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def test_every_dependency_is_pinned_within_its_range():
    extras = dict(PROJECT["optional-dependencies"])
    optional = [*extras.pop("boosting"), *extras.pop("excel")]
    optional = [r for r in map(Requirement, optional) if r.marker is None or r.marker.evaluate()]
    pinned, constraints = pins("requirements.txt"), pins("constraints.txt")
    for requirement in [
        *RUNTIME.values(),
        *(r for group in extras.values() for r in map(Requirement, group)),
    ]:
        assert pinned.pop(canonicalize_name(requirement.name)) in requirement.specifier, requirement
    assert not pinned, "pinned, and no dependency of the package"
    for requirement in optional:  # not installed by default
        assert constraints[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_constraints_repeat_every_pin():
    assert pins("requirements.txt").items() <= pins("constraints.txt").items()


def test_every_import_is_a_dependency():
    imported = set()
    for path in (ROOT / "helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    packages = importlib.metadata.packages_distributions()
    foreign = imported - {*sys.stdlib_module_names, "helpers"}
    # Some folders belong to several distributions: mlflow and mlflow-skinny share one.
    optional = {
        canonicalize_name(Requirement(package).name) for package in PROJECT["optional-dependencies"]["excel"]
    }
    known = RUNTIME.keys() | optional
    missing = {n for n in foreign if not {canonicalize_name(p) for p in packages[n]} & known}
    assert missing == set()


def run(command: list, folder: Path) -> subprocess.CompletedProcess:
    """Run a program as a user of the installed package does, without this checkout on the path."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    clean["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return the ``bin`` of a new environment with nothing but a wheel of this project in it."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"  # a build leaves files behind
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "helpers", source / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment" / "bin"
    pip = [programs / "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", "--no-deps", "-w", folder, source], folder).check_returncode()
    (wheel,) = folder.glob("*.whl")
    # Byte code of everything would take as long as the installation itself; few modules are used.
    run([*pip, "install", "--no-compile", wheel, "-c", ROOT / "constraints.txt"], folder).check_returncode()
    return programs


@pytest.mark.stack
def test_a_wheel_brings_all_it_imports(installed, tmp_path):
    code = "\n".join(f"import helpers.{wing}; print(helpers.{wing}.__file__)" for wing in WINGS)
    done = run([installed / "python", "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    files = done.stdout.splitlines()
    assert len(files) == len(WINGS) and all(file.startswith(str(installed.parent)) for file in files)


@pytest.mark.stack
def test_a_wheel_works_outside_a_checkout(installed, tmp_path):
    assert run([installed / "churn", "--help"], tmp_path).returncode == ExitCode.DONE
    out = tmp_path / "customers.csv"
    done = run([installed / "churn", "generate", "--rows", "500", "--out", out], tmp_path)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")
    assert len(load(out)) == 500


@pytest.mark.stack
def test_a_wheel_without_notebooks_names_them_and_makes_nothing(installed, tmp_path):
    done = run([installed / "churn", "run"], tmp_path)
    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith(f"Error: no notebooks in {tmp_path}/notebooks: ")
    assert "Run this command in a copy of the project's repository" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.stack
def test_a_wheel_runs_the_notebooks_of_the_checkout_around_it(installed, tmp_path):
    for name in ("notebooks", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "elsewhere").mkdir()
    command = [installed / "churn", "run", "--only", "01_eda", "--out", tmp_path / "out"]
    done = run(command, tmp_path / "elsewhere")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert (tmp_path / "out" / "01_eda.ipynb").is_file()
