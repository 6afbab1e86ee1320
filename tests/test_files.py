import hashlib
import os

import pytest

from helpers.files import sha256, write_atomically


def test_fingerprint_is_the_sha256_of_the_bytes(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"customers")
    assert sha256(tmp_path / "table.csv") == hashlib.sha256(b"customers").hexdigest()


def test_file_is_written_into_a_new_folder_and_readable_by_others(tmp_path):
    file = tmp_path / "new" / "scores.csv"
    write_atomically(file, b"a\n1\n")
    assert file.read_bytes() == b"a\n1\n"
    assert file.stat().st_mode & 0o777 == 0o644
    assert os.listdir(file.parent) == ["scores.csv"]


def test_existing_file_is_replaced(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_bytes(b"old and longer")
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_keeps_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error("no space left")

    file = tmp_path / "scores.csv"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(error):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["scores.csv"]
