"""The command ``churn``: its help, its settings, and how every command fails."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.cli import churn as command_line
from helpers.config import ROOT
from helpers.errors import DataError, DescriptionError, ExitCode
from helpers.table import BANK
from helpers.tracking import search_runs, store_address
from helpers.training.algorithms import ALGORITHMS
from tests.support.bank import NEW_CUSTOMERS
from tests.support.command import churn
from tests.support.servers import wait

COMMANDS = list(command_line.commands)
# One call of every command that uses the store.
CALLS = {
    "run": ["--only", "01_eda"],
    "train": ["--models", "knn"],
    "score": ["--out", "scores.csv"],
    "serve": [],
    "monitor": [],
    "retrain": ["--batch", str(NEW_CUSTOMERS)],
    "ui": [],
}


def start(*arguments: str, **kwargs) -> subprocess.Popen:
    """Start ``python -m helpers`` as a shell does, even if this process is run by nohup."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "helpers", *arguments]

    def heed_hangup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    return subprocess.Popen(command, cwd=ROOT, preexec_fn=heed_hangup, **pipes, **kwargs)


def test_commands_come_in_the_order_of_a_models_life(capsys):
    assert churn("--help") == ExitCode.DONE
    text = capsys.readouterr().out
    assert re.findall(r"^  (\w+) +[A-Z].*\.$", text, re.MULTILINE) == COMMANDS
    assert {int(code) for code in re.findall(r"^    (\d+)  ", text, re.MULTILINE)} == {*ExitCode}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(command, capsys):
    assert churn(command, "--help") == ExitCode.DONE
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: churn {command} ")
    assert re.search(rf"^  Examples:\n    churn {command}", text, re.MULTILINE)
    assert "\\b" not in text


def test_help_imports_no_heavy_library():
    code = "import sys, helpers.cli; print({'mlflow', 'sklearn', 'pandas', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["nope"], "No such command 'nope'"),
        (["describe"], "Missing argument 'TABLE'"),
        (["describe", ""], "is empty: give a value"),
        (["describe", str(NEW_CUSTOMERS), "--target", "Exit"], "did you mean 'Exited'?"),
        (["describe", str(NEW_CUSTOMERS), "--name", "My Bank"], "'my_bank' instead of 'My Bank'"),
        (["run", "--nope"], "No such option '--nope'"),
        (["run", "--only", "07_nope"], "no notebook '07_nope': choose from 01_eda, 02_preprocess"),
        (["run", "--models", "knn,svm"], "unknown model 'svm'"),
        (["run", "--models", "ranked_bayes,svm", "--algorithms", "examples/my_classifier.py"], "'svm'"),
        (["score", "--out", "scores.csv", "--algorithms", "no.py"], "no file of algorithms no.py: check"),
        (["serve", "--algorithms", "pyproject.toml"], "name it like a Python module, as in my_models.py"),
        (["train", "--missed-cost", "0"], "missed_cost must be a number from 1e-6 to 1e12"),
        (["train", "--missed-cost", "much"], "'much' is not a valid float"),
        (["run", "--wasted-cost", "nan"], "wasted_cost must be a number from 1e-6 to 1e12"),
        (["train", "--grid", '{"C": [1]}'], "a grid is for one algorithm"),
        (["train", "--models", "knn,tree", "--grid", '{"C": [1]}'], "a grid is for one algorithm"),
        (["train", "--models", "knn", "--grid", "{C}"], "grid is not JSON"),
        (["train", "--models", "knn", "--grid", '{"C": [1]}'], "unknown grid key 'C'"),
        (
            ["train", "--models", "knn", "--grid", '{"n_neighbors": [0]}'],
            "'n_neighbors' cannot be 0",
        ),
        (["train", "--missed-cost", "1" + "0" * 400], "missed_cost must be"),
        (["score"], "Missing option '--out'"),
        (["score", "--batch", "", "--out", "scores.csv"], "is empty: give a value, or omit the option"),
        (["score", "--out", "."], "'.' is a directory"),
        (["serve", "--port", "0"], "0 is not in the range"),
        (["serve", "--port", "-1"], "-1 is not in the range"),
        (["serve", "--port", "99999"], "99999 is not in the range"),
        (["serve", "--port", "http"], "'http' is not a valid integer"),
        (["serve", "--workers", "0"], "0 is not in the range"),
        (["serve", "--workers", "two"], "'two' is not a valid integer"),
        (["serve", "--workers", "1000000"], "1000000 is not in the range"),
        (["serve", "--host", ""], "is empty: give a value, or omit the option"),
        (["serve", "--host", "999.1.1.1"], "cannot listen on 999.1.1.1:8080"),
        (["monitor", "--batch"], "Option '--batch' requires an argument"),
        (["retrain"], "Missing option '--batch'"),
        (["retrain", "--batch", "new.csv", "--out", "/dev/null/x"], "/dev/null is not a folder"),
        (["retrain", "--batch", ""], "is empty: give a value, or omit the option"),
        (["retrain", "--batch", "new.csv", "--every", "0"], "--every must be above 0 seconds"),
        (["retrain", "--batch", "new.csv", "--every", "inf"], "--every must be above 0 seconds"),
        (["retrain", "--batch", "new.csv", "--every", "1e300"], "at most a year"),
        (["generate"], "Missing option '--out'"),
        (["generate", "--out", ""], "is empty: give a value"),
        (["generate", "--out", "x.csv", "--rows", "0"], "0 is not in the range"),
        (["generate", "--out", "x.csv", "--rows", "10000000000000"], "is not in the range"),
        (["generate", "--out", "x.csv", "--seed", "-1"], "-1 is not in the range"),
        (["generate", "--out", "/dev/full"], "/dev/full is not a file"),
        (["generate", "--out", "/proc/nowhere/x.csv"], "/proc/nowhere/x.csv is not a file"),
        (["generate", "--out", str(NEW_CUSTOMERS.parent / "README.md")], "is not an earlier output"),
        (["score", "--out", "s3://bucket/o.csv"], "s3://bucket/o.csv is a URL"),
        (["score", "--out", "https://anna:s3cret@h/o.csv"], "Error: https://h/o.csv is a URL"),
        (
            ["train", "--models", "knn", "--out", "s3://anna:s3cret@b/x"],
            "Error: s3://b/x is a URL: name a local folder",
        ),
        (["train", "--models", "knn", "--out", "/proc/nothing"], "/proc/nothing is not a folder of files"),
        (["train", "--models", "knn", "--grid", '{"p": [1], "p": [2]}'], "grid has 'p' twice"),
        (["ui", "--host", "a" * 80], "(not a name of a host): choose another --host"),
        (["score", "--out", "/dev/stdout"], "/dev/stdout is not a file"),
        (["score", "--out", str(NEW_CUSTOMERS)], "is the batch itself"),
        (["run", "--out", "s3://bucket"], "is a URL"),
        (["train", "--out", "/dev/null/x"], "/dev/null is not a folder"),
        (["retrain", "--batch", str(NEW_CUSTOMERS), "--out", "s3://bucket"], "is a URL"),
        (["generate", "--out", "x.csv", "--shift", "age"], "--shift takes NAME=STRENGTH"),
        (["generate", "--out", "x.csv", "--shift", "age=1"], "unknown shift 'age'"),
        (["generate", "--out", "x.csv", "--shift", "concept=2"], "must be in 0 to 1"),
        (
            ["generate", "--out", "x.csv", "--shift", "concept=0.1", "--shift", "concept=1"],
            "names a shift twice",
        ),
        (["ui", "--port", "99999"], "99999 is not in the range"),
        (["serve", "--host", "no such host"], "cannot listen on no such host:8080"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(call, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert churn(*call) == ExitCode.USAGE
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("Error: ") == 1
    assert output.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", CALLS)
def test_a_server_that_is_down_is_one_message(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert churn(command, *CALLS[command]) == ExitCode.FAILED
    assert re.fullmatch(r"Error: no MLflow at http://127\.0\.0\.1:1: .*\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["score", "serve", "monitor", "retrain"])
def test_an_empty_registry_is_one_message(store, command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert churn(command, *CALLS[command]) == ExitCode.FAILED
    address = re.escape(store_address())
    assert re.fullmatch(rf"Error: nothing is in production in {address}: .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["describe", "missing.csv"], "no file missing.csv"),
        (["retrain", "--batch", "missing.csv"], "no file missing.csv"),
        (["run", "--only", "01_eda", "--data", "missing.csv"], "missing.csv (tried"),
        (
            ["score", "--batch", "https://anna:s3cret@h/x.csv", "--out", "s.csv"],
            "Error: https://h/x.csv is a",
        ),
    ],
)
def test_a_path_that_does_not_exist_is_one_message(store, call, message, capsys):
    assert churn(*call) == ExitCode.FAILED
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_notebook_that_fails_is_one_message(store, tmp_path):
    done = start("run", "--only", "04_registry", "--out", str(tmp_path))
    _, error = done.communicate(timeout=120)
    assert done.returncode == ExitCode.FAILED
    assert "04_registry failed in cell" in error and "NoChallengers: " in error
    assert f"{tmp_path}/04_registry.ipynb" in error
    assert "Traceback" not in error


def test_a_bug_shows_its_traceback(monkeypatch):
    monkeypatch.setattr("helpers.data.make_customers", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command_line.main(["generate", "--out", "x.csv"], standalone_mode=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_training_is_one_message_and_closes_its_runs(store, tmp_path, number):
    def runs(query: str) -> list:
        return search_runs(store.client, store.experiment_id, query)

    process = start("train", "--models", "forest", "--out", str(tmp_path))
    wait(lambda: runs("tags.level = 'combination'"))
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert error.strip() == "Error: interrupted"
    assert runs("attributes.status = 'RUNNING'") == []
    assert [run.info.status for run in runs("tags.level = 'model'")] == ["KILLED"]


def test_an_interrupt_while_libraries_are_imported_is_one_message():
    process = start("monitor")
    wait(lambda: "sklearn" in Path(f"/proc/{process.pid}/maps").read_text())
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    # Python ends by the signal itself if it interrupted an exec(); shells and containers show 130 for both.
    assert process.returncode in (ExitCode.INTERRUPTED, -signal.SIGINT)
    assert error.strip() == "Error: interrupted"


def test_settings_reach_the_notebooks(store, tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr("helpers.workflows.run_notebooks", lambda todo, out, store: steps.extend(todo) or "0")
    options = ["--missed-cost", "20", "--grid", '{"C": [1]}', "--data", NEW_CUSTOMERS, "--out", tmp_path]
    assert churn("train", "--models", "logreg", *options) == ExitCode.DONE
    (step,) = steps
    expected = {"model": "logreg", "missed_cost": 20.0, "grid": '{"C": [1]}', "data": str(NEW_CUSTOMERS)}
    assert (step.name, step.parameters) == ("03_train-logreg", expected)


def test_empty_settings_are_those_not_given(store, monkeypatch):
    steps, batches = [], []
    monkeypatch.setattr("helpers.workflows.run_notebooks", lambda todo, out, store: steps.extend(todo) or "0")
    assert churn("run", "--data", "", "--models", "") == ExitCode.DONE
    assert [step.name for step in steps if step.notebook == "03_train"] == [
        f"03_train-{name}" for name in ALGORITHMS
    ]
    assert steps[0].parameters == {}

    def run_monitoring(store, *settings):
        batches.append(settings)
        raise DataError("enough seen")

    monkeypatch.setattr("helpers.monitoring.run_monitoring", run_monitoring)
    assert churn("monitor", "--batch", "", "--data", "") == ExitCode.FAILED
    assert batches == [(None, None)]


DOCUMENTS = [
    *(page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md"),  # it has the former commands
    *ROOT.glob("docs/**/*.md"),
    ROOT / "data" / "README.md",
    ROOT / "Makefile",
    ROOT / "infra" / "docker-compose.yml",
    *ROOT.glob("infra/k8s/base/*.yaml"),
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_commands_exist(path):
    text = re.sub(r'[\[\]",]+', " ", path.read_text())  # a YAML list is a command line, too
    for command, options in re.findall(r"\bchurn +([a-z]+)\b((?: +[^\s|&;#`)]+)*)", text):
        if command in COMMANDS:
            known = {name for p in command_line.commands[command].params for name in p.opts} | {"--help"}
            assert set(re.findall(r"--[a-z-]+", options)) <= known, f"churn {command} {options}"
    assert "python -m helpers." not in text


def test_mlflow_projects_entry_points_are_commands():
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    for name, entry in project["entry_points"].items():
        values = {key: shlex.quote(str(p["default"])) for key, p in entry.get("parameters", {}).items()}
        program, command, *arguments = shlex.split(entry["command"].format(**values))
        assert program == "churn"
        # Parses the options, and calls nothing.
        assert command_line.commands[command].make_context(name, arguments)
        values["table"] = "nowhere.yaml"
        with pytest.raises(DescriptionError, match=r"nowhere\.yaml: No such file"):
            _, _, *arguments = shlex.split(entry["command"].format(**values))
            command_line.commands[command].make_context(name, arguments)


@pytest.mark.parametrize("every", [[], ["--every", "60"]])
def test_without_a_key_nothing_is_retrained(every, tmp_path, capsys):
    described = yaml.safe_load(BANK.read_text())
    del described["key"]
    (tmp_path / "nokey.yaml").write_text(yaml.safe_dump(described))
    batch = ["--table", tmp_path / "nokey.yaml", "--batch", NEW_CUSTOMERS, "--out", tmp_path / "out"]
    assert churn("retrain", *batch, *every) == ExitCode.USAGE
    message = capsys.readouterr().err
    assert "nokey.yaml names no key: without one, customers" in message and message.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_every_command_on_a_table_takes_its_description():
    with_it = {
        name
        for name, each in command_line.commands.items()
        if any("--table" in parameter.opts for parameter in each.params)
    }
    assert set(command_line.commands) - with_it == {"describe"}  # it drafts one
