"""A version is used for the table that it was trained for, and refused for another one of the same name."""

import mlflow
import pytest
import yaml
from mlflow.models import Model

from helpers.errors import ExitCode, NoChallengers, OtherTable
from helpers.registry import (
    archive,
    check_production_table,
    compare_challengers,
    get_version,
    input_example,
    load_production_model,
    load_pyfunc,
    load_version,
    promote,
    register,
    roll_back,
    run_gates,
)
from helpers.registry.same_table import require_same_table
from helpers.registry.versions import signature_of_version
from helpers.serving.served_model import ServedModel
from helpers.table import BANK, use_table
from helpers.tracking import log_model, search_runs
from tests.support.bank import NEW_CUSTOMERS
from tests.support.command import churn


@pytest.fixture
def describe(tmp_path):
    """Return a function that writes the bank's description with changes; each key is a path with points."""

    def describe(**changes):
        described = yaml.safe_load(BANK.read_text())
        del described["samples"]
        for place, value in changes.items():
            *parents, key = place.split("__")
            part = described
            for parent in parents:
                part = part[parent]
            if value is None:
                del part[key]
            else:
                part[key] = value
        path = tmp_path / "other.yaml"
        path.write_text(yaml.safe_dump(described, sort_keys=False))
        return path

    return describe


SWAPPED = {"target__negative__value": 1, "target__positive__value": 0}
OTHER = {
    "one more": ({"features__EstimatedSalary": None}, "it has 'EstimatedSalary', which the table has not"),
    "one less": ({"features__Wealth": {"role": "numeric"}}, "it lacks 'Wealth'"),
    "role": (
        {"features__HasCrCard": {"role": "numeric"}},
        "to it 'HasCrCard' is binary and not numeric",
    ),
    "outcome": (
        {"target__column": "Left"},
        "it predicts 'Exited' = '1' (not '0'), and the table's outcome is 'Left'",
    ),
    "swapped": (
        SWAPPED,
        "it predicts 'Exited' = '1' (not '0'), and the table's outcome is 'Exited' = '0' (not '1')",
    ),
}


@pytest.mark.parametrize(("changes", "difference"), OTHER.values(), ids=OTHER)
def test_another_table_of_the_same_name_is_refused(store, add_version, describe, sample, changes, difference):
    staged = add_version("tree", threshold=0.5)
    version = promote(store.client, staged.name, staged.version, "test")
    challenger = add_version("knn")
    use_table(path := describe(**changes))
    client = store.client
    for use in (
        lambda: load_production_model(client),
        lambda: load_version(client, staged.name, staged.version),
        lambda: load_pyfunc(client, version.name, version.version),
        lambda: signature_of_version(client, version),
        lambda: input_example(client, version),
        lambda: check_production_table(client),
        lambda: promote(client, challenger.name, challenger.version, "another"),
        lambda: ServedModel().load_context(None),
    ):
        with pytest.raises(OtherTable) as error:
            use()
        text = str(error.value)
        assert f"1 was trained for another table than {path} describes: {difference}" in text
        assert "trained with, the artifact table.yaml of run " in text
        assert text.endswith(", or train for this table under another `name`.")
        assert "\n" not in text
    (gate,) = run_gates(client, staged, sample.X_train, sample.X_test, sample.y_test)
    assert (gate.name, gate.passed) == ("same schema", False) and difference in gate.detail


def test_what_does_not_change_the_meaning_of_a_score_may_change(store, add_version, describe):
    staged = add_version("tree", threshold=0.5)
    promote(store.client, staged.name, staged.version, "test")
    changes = {
        "features__Geography__values": ["France", "Germany", "Spain", "Italy"],
        "features__Age__range": [0, 120],
        "features__Balance__missing": "median",
        "features__Tenure__label": "years",
        "target__positive__label": "gone",
        "target__outcome": "loss",
        "costs": {"missed": 9, "wasted": 1},
        "sensitive": [],
        "key": "RowNumber",
        "title": "Another title",
    }
    use_table(describe(**changes))
    assert load_production_model(store.client).version == 1
    check_production_table(store.client)


def test_many_differences_are_one_line(store, add_version, describe):
    version = add_version("tree")
    more = {f"features__x{number}": {"role": "numeric"} for number in range(12)}
    use_table(describe(**more, **SWAPPED, features__EstimatedSalary=None))
    with pytest.raises(OtherTable) as error:
        load_version(store.client, version.name, version.version)
    assert "; it lacks 'x0', 'x1', 'x2', 'x3', 'x4' and 7 more; it predicts" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def earlier_version(store, fitted, sample):
    """Return a version in whose MLmodel file nothing of the description is recorded."""
    run = store.client.create_run(store.experiment_id)
    uri = log_model(run.info.run_id, fitted["tree"], sample.X_train)
    model_id = uri.removeprefix("models:/")
    location = store.client.get_logged_model(model_id).artifact_location
    folder = mlflow.artifacts.download_artifacts(location)
    model = Model.load(folder)
    assert model.metadata.pop("table")["target"] == "Exited"
    model.save(f"{folder}/MLmodel")
    return register(store.client, "tree", uri, run.info.run_id, {"decision_threshold": "0.5"})


def test_of_an_earlier_version_the_signature_is_compared(store, earlier_version, describe):
    def load():
        return load_version(store.client, earlier_version.name, earlier_version.version)

    assert load().predict is not None
    use_table(describe(**SWAPPED, features__HasCrCard={"role": "numeric"}))
    assert load().predict is not None  # nobody can tell
    use_table(describe(features__EstimatedSalary=None, features__Gender={"role": "binary"}))
    message = (
        "it has 'EstimatedSalary', which the table has not; to it 'Gender' is text and not binary. Use the "
        "description that it was trained with, or train"
    )
    with pytest.raises(OtherTable, match=message):
        load()


def test_a_model_of_which_nothing_is_known_is_not_refused(store, add_version):
    require_same_table(add_version("tree"), Model())


def test_a_roll_back_to_a_version_for_another_table_is_refused(store, add_version, describe):
    first = add_version("tree")
    promote(store.client, first.name, first.version, "first")
    use_table(describe(**SWAPPED))
    second = add_version("knn")
    live = promote(store.client, second.name, second.version, "second")
    with pytest.raises(OtherTable, match="churn version 1 was trained for another table"):
        roll_back(store.client, "back")
    assert get_version(store.client, "churn", live.version).tags["stage"] == "production"
    assert archive(store.client, first.name, first.version, "of the other table").tags["stage"] == "archived"


def test_a_challenger_for_another_table_is_not_compared(store, add_version, describe):
    add_version("knn")
    use_table(describe(**SWAPPED))
    with pytest.raises(NoChallengers, match=r"trained on this data for this table .*in staging: churn-knn"):
        compare_challengers(store, "abc")
    add_version("tree")
    assert list(compare_challengers(store, "abc").index) == ["tree"]
    use_table(BANK)
    assert list(compare_challengers(store, "abc").index) == ["knn"]


def test_every_command_says_so_before_its_work(store, add_version, describe, tmp_path, capsys):
    staged = add_version("tree", threshold=0.5)
    promote(store.client, staged.name, staged.version, "test")
    table, out = ["--table", describe(**SWAPPED)], ["--out", tmp_path / "out"]
    new, data = ["--batch", NEW_CUSTOMERS], ["--data", BANK.with_suffix(".csv")]
    before = len(search_runs(store.client, store.experiment_id, "tags.level != 'retrain'"))
    for command in (
        ["score", *new, "--out", tmp_path / "scores.csv"],
        ["monitor", *new],
        ["serve", "--port", "8099"],
        ["retrain", *new, *out],
        ["train", *data, "--models", "tree", *out],
        ["run", *data, *new, "--models", "tree", *out],
    ):
        assert churn(*command, *table) == ExitCode.FAILED
        message = capsys.readouterr().err
        assert message.startswith("Error: churn version 1 was trained for another table than "), message
        assert message.count("\n") == 1
    assert len(search_runs(store.client, store.experiment_id, "tags.level != 'retrain'")) == before
