import hashlib
import os
from pathlib import Path

import pytest

from helpers.errors import SettingError
from helpers.files import sha256, write_atomically


def test_fingerprint_is_the_sha256_of_the_bytes(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"customers")
    assert sha256(tmp_path / "table.csv") == hashlib.sha256(b"customers").hexdigest()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_file_is_written_into_a_new_folder_with_the_users_umask(tmp_path, umask, mode):
    file = tmp_path / "new" / "scores.csv"
    before = os.umask(umask)
    try:
        write_atomically(file, b"a\n1\n")
    finally:
        os.umask(before)
    assert file.read_bytes() == b"a\n1\n"
    assert file.stat().st_mode & 0o777 == mode
    assert os.listdir(file.parent) == ["scores.csv"]


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "target.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to("target.csv")
    write_atomically(tmp_path / "link.csv", b"new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_bytes() == b"new"


def test_what_is_not_a_file_is_refused_and_kept(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path(os.devnull)):
        with pytest.raises(SettingError, match="is not a file"):
            write_atomically(path, b"new")
    assert pipe.is_fifo()


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
