import os

import pytest

from helpers.config import ROOT
from helpers.data import paths
from helpers.data.loading import load
from helpers.errors import DataError
from tests.support.bank import EMBEDDED_DATA


def test_parameter_takes_precedence_over_variable_and_variable_over_sample(tmp_path, monkeypatch):
    monkeypatch.delenv("CHURN_DATA", raising=False)
    assert paths.data_path() == paths.data_path("") == EMBEDDED_DATA
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("")
    monkeypatch.setenv("CHURN_DATA", str(tmp_path / "a.csv"))
    assert paths.data_path() == tmp_path / "a.csv"
    assert paths.data_path(str(tmp_path / "b.csv")) == tmp_path / "b.csv"


def test_relative_path_is_tried_from_current_folder_then_from_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.data_path("data/bank_churn.csv") == EMBEDDED_DATA
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bank_churn.csv").write_text("")
    assert paths.data_path("data/bank_churn.csv") == tmp_path / "data" / "bank_churn.csv"


def test_missing_file_is_named_with_the_places_tried(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no file nowhere") as error:
        load("nowhere.csv")
    assert str(tmp_path / "nowhere.csv") in str(error.value) and str(ROOT / "nowhere.csv") in str(error.value)


@pytest.mark.parametrize("login", ["", "anna:s3cret@"])
@pytest.mark.parametrize("scheme", ["https", "s3"])
def test_url_is_named_as_one_without_a_login(scheme, login):
    with pytest.raises(DataError, match=f"^{scheme}://bank.example/x.csv is a URL: download the table"):
        paths.data_path(f"{scheme}://{login}bank.example/x.csv")


@pytest.mark.parametrize("sample", ["bank_churn.csv", "new_customers.csv"])
def test_without_a_checkout_the_error_says_where_the_sample_is(tmp_path, monkeypatch, sample):
    monkeypatch.setattr(paths, "BANK", tmp_path / "bank_churn.yaml")
    with pytest.raises(DataError, match=r"part of a checkout of the project.* Give a CSV of your own"):
        load(tmp_path / sample)


def test_folder_or_pipe_is_named_as_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe or a device")):
        with pytest.raises(DataError, match=f"{path} is {kind}: give the path of a file with the table"):
            paths.data_path(path)


def test_endless_path_is_shown_in_part():
    with pytest.raises(DataError) as raised:
        paths.data_path("x" * 5_000)
    assert str(raised.value) == f"no file {'x' * paths.LONGEST}... Check the path."
