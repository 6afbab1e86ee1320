"""Reading a description, and which one is in use."""

import os
import subprocess
import sys

import pytest

from helpers.config import ROOT
from helpers.errors import DescriptionError, ExitCode
from helpers.table import BANK, current_table, read_description, use_table
from tests.support.bank import TABLE
from tests.table.test_description import SHOP


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return the path of a description; afterwards, the variable is as before."""
    monkeypatch.setenv("CHURN_TABLE", "")
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "shop.yaml is empty: draft a description with `churn describe customers.csv`"),
        ("# nothing else\n", "shop.yaml is empty"),
        ("- name\n", "shop.yaml has no keys at its top: draft a description"),
        ("customers", "shop.yaml has no keys at its top"),
        ("name: a\nname: b\n", "shop.yaml, line 2: key 'name' is there twice: keep one."),
        (SHOP.replace("  kind", "  age"), "line 9: key 'age' is there twice: keep one."),
        (
            "name: [a\nkey: b\n",
            "shop.yaml, line 2: not YAML, while parsing a flow sequence, expected ',' or ']'",
        ),
        (
            "title: a: b\n",
            "line 1: not YAML, mapping values are not allowed here. Close every bracket and quote; quo",
        ),
        ("\ttitle: a\n", "line 1: not YAML, while scanning for the next token, found character"),
        ("a: b\n---\nc: d\n", "line 2: not YAML, expected a single document"),
        ("? [a]\n: b\n", "line 1: not YAML, while constructing a mapping, found unhashable key"),
        ("a: \x01\n", "shop.yaml is not YAML: character #01 is in it."),
        (b"a: \xfc", "shop.yaml is not UTF-8 text: save it as such."),
    ],
)
def test_what_is_no_description_is_one_message(content, message, shop):
    shop.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DescriptionError) as error:
        read_description(shop)
    assert message in str(error.value)
    assert "\n" not in str(error.value) and "unicode string" not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    message = r"cannot read the table's description .*nowhere.yaml: No such file or directory. Check the path"
    with pytest.raises(DescriptionError, match=message) as error:
        read_description(tmp_path / "nowhere.yaml")
    assert error.value.exit_code == ExitCode.USAGE
    with pytest.raises(DescriptionError, match="Is a directory"):
        read_description(tmp_path)


def test_values_are_the_texts_of_the_file(shop):
    table = read_description(shop)
    assert (table.target.negative.value, table.target.positive.value) == ("No", "Yes")
    shop.write_text(SHOP.replace("No", "null").replace("Yes", "1e8").replace("[a, b]", "[01, On, 1.50, ~]"))
    table = read_description(shop)
    assert (table.target.negative.value, table.target.positive.value) == ("null", "1e8")
    assert table.choices("kind") == ["01", "On", "1.50", "~"]


def test_a_byte_order_mark_changes_nothing(shop):
    plain = read_description(shop)
    shop.write_text("\ufeff" + SHOP, encoding="utf-8")
    assert read_description(shop) == plain


def test_samples_are_beside_the_description(shop):
    shop.write_text(SHOP + "samples: {customers: a.csv, new_customers: /data/b.csv}\n")
    samples = read_description(str(shop)).samples
    assert samples.customers == shop.parent / "a.csv" and str(samples.new_customers) == "/data/b.csv"
    assert TABLE.samples.customers == BANK.parent / "bank_churn.csv"


def test_the_banks_table_is_the_default(shop, monkeypatch):
    assert current_table() == TABLE  # the variable is empty
    monkeypatch.delenv("CHURN_TABLE")
    assert current_table() == use_table(None) == use_table("") == TABLE
    assert "CHURN_TABLE" not in os.environ


def test_a_path_is_relative_to_the_current_folder_the_root_or_the_home(shop, monkeypatch):
    monkeypatch.chdir(shop.parent)
    monkeypatch.setenv("CHURN_TABLE", "shop.yaml")
    assert current_table().name == "shop"
    monkeypatch.chdir("/")  # as the kernel of a notebook
    assert current_table().name == "shop"
    monkeypatch.setenv("CHURN_TABLE", "data/bank_churn.yaml")
    assert current_table() == TABLE
    monkeypatch.setenv("HOME", str(shop.parent))
    monkeypatch.setenv("CHURN_TABLE", "~/shop.yaml")
    assert current_table().name == "shop"
    monkeypatch.setenv("CHURN_TABLE", "nowhere.yaml")
    with pytest.raises(DescriptionError, match=r"description nowhere.yaml: No such file"):
        current_table()


def test_a_description_is_used_here_and_in_the_processes_that_are_started(shop, monkeypatch):
    monkeypatch.chdir(shop.parent)
    assert use_table("shop.yaml").name == current_table().name == "shop"
    monkeypatch.chdir("/")
    code = "from helpers.table import current_table; print(current_table().experiment)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == "EXP_Shop_Modelling"
    assert current_table().name == "shop"


@pytest.mark.parametrize("at_start", [None, "", "shop", "data/telecom_churn.yaml"])
def test_none_is_what_the_process_started_with(at_start, shop, tmp_path, monkeypatch):
    """As in an open kernel, in which one table was chosen after another."""
    if at_start is None:
        monkeypatch.delenv("CHURN_TABLE")
    else:
        monkeypatch.setenv("CHURN_TABLE", str(shop) if at_start == "shop" else at_start)
    before = current_table()
    other = tmp_path / "other.yaml"
    other.write_text(SHOP.replace("name: shop", "name: other"))
    for _ in range(2):
        assert use_table(None) == before
        assert use_table(other).name == "other"
        with pytest.raises(DescriptionError):
            use_table(tmp_path / "nowhere.yaml")
        assert current_table().name == "other"
        assert use_table(shop).name == "shop"
    assert use_table(None) == current_table() == before
    assert ("CHURN_TABLE" in os.environ) is (at_start is not None)


@pytest.mark.parametrize("before", [None, "", "shop"])
def test_a_bad_description_changes_nothing(before, shop, tmp_path, monkeypatch):
    if before is None:
        monkeypatch.delenv("CHURN_TABLE")
    elif before:
        monkeypatch.setenv("CHURN_TABLE", str(shop))
    was = os.environ.get("CHURN_TABLE")
    (tmp_path / "bad.yaml").write_text("name: A\n")
    for path in ("bad.yaml", "nowhere.yaml"):
        with pytest.raises(DescriptionError, match=path):
            use_table(tmp_path / path)
    assert os.environ.get("CHURN_TABLE") == was
    assert current_table().name == ("shop" if before else "churn")


def test_a_change_of_the_file_is_seen(shop):
    assert use_table(shop).name == "shop"
    shop.write_text(SHOP.replace("name: shop", "name: store"))
    os.utime(shop, ns=(1, 1))
    assert current_table().name == "store"
