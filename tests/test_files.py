import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.config import ROOT
from helpers.errors import SettingError
from helpers.files import begins_with, check_output, sha256, write_atomically

TABLE = begins_with("customer,score\n")
OLD, NEW = b"customer,score\n1,0.5\n", b"customer,score\n1,0.7\n"


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_fingerprint_is_the_sha256_of_the_bytes(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"customers")
    assert sha256(tmp_path / "table.csv") == hashlib.sha256(b"customers").hexdigest()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_file_is_written_into_a_new_folder_with_the_users_umask(tmp_path, umask, mask, mode):
    file = tmp_path / "new" / "scores.csv"
    umask(mask)
    write_atomically(file, NEW, TABLE)
    assert file.read_bytes() == NEW
    assert file.stat().st_mode & 0o777 == mode
    assert os.listdir(file.parent) == ["scores.csv"]


@pytest.mark.parametrize("old", [OLD, b""])
def test_an_earlier_output_is_replaced_and_keeps_its_mode(tmp_path, umask, old):
    file = tmp_path / "scores.csv"
    file.write_bytes(old)
    file.chmod(0o600)
    write_atomically(file, NEW, TABLE)
    assert file.read_bytes() == NEW
    assert file.stat().st_mode & 0o777 == 0o600


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "target.csv").write_bytes(OLD)
    (tmp_path / "link.csv").symlink_to("target.csv")
    (tmp_path / "to_nothing.csv").symlink_to("new.csv")
    for name in ("link.csv", "to_nothing.csv"):
        write_atomically(tmp_path / name, NEW, TABLE)
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "target.csv").read_bytes() == (tmp_path / "new.csv").read_bytes() == NEW


@pytest.mark.parametrize("content", [b"SQLite format 3\0", b"customer;score\n", b"customer"])
def test_another_file_is_never_replaced(tmp_path, content):
    file = tmp_path / "mlflow.db"
    file.write_bytes(content)
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link"):
        with pytest.raises(SettingError, match="is not an earlier output of this kind"):
            write_atomically(path, NEW, TABLE)
    assert file.read_bytes() == content


def test_what_is_not_a_file_is_refused_and_kept(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "output").symlink_to("/dev/stdout")
    special = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/x/s.csv", os.devnull]
    for path in (pipe, tmp_path, tmp_path / "output", *map(Path, special)):
        with pytest.raises(SettingError, match="is not a file"):
            write_atomically(path, NEW, TABLE)
    assert pipe.is_fifo() and Path(os.devnull).is_char_device()


@pytest.mark.parametrize("path", ["s3://bucket/scores.csv", "file:/tmp/scores.csv", "models:/churn/x"])
def test_a_url_is_refused_and_makes_no_folder(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    for file in (Path(path), tmp_path / path):
        with pytest.raises(SettingError, match=f"^{path} is a URL: name a local file"):
            write_atomically(file, NEW, TABLE)
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_refused_first(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    cases = {
        tmp_path / "file" / "scores.csv": "Not a directory",
        tmp_path / "loop": "Too many levels of symbolic links",
        tmp_path / ("x" * 300): "File name too long",
        Path("scores\0.csv"): "null character",
    }
    for path, reason in cases.items():
        with pytest.raises(SettingError, match=reason):
            check_output(path, TABLE)
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]


# Run as somebody else if these tests are run by root, who may write anywhere.
CHECK = """
import os, sys
from pathlib import Path
from helpers.files import begins_with, check_output
os.geteuid() or os.setuid(12345)
check_output(Path(sys.argv[1]), begins_with("customer"))
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("locked/new/scores.csv", "no right to write in /"), ("open/scores.csv", "is read-only")],
)
def test_what_one_has_no_right_to_write_is_refused_first(name, reason):
    with tempfile.TemporaryDirectory() as folder:  # unlike pytest's, others can be let into it
        Path(folder).chmod(0o755)
        Path(folder, "locked").mkdir(mode=0o555)
        Path(folder, "open").mkdir(mode=0o777)
        Path(folder, "open", "scores.csv").write_bytes(OLD)
        Path(folder, "open", "scores.csv").chmod(0o444)
        command = [sys.executable, "-c", CHECK, f"{folder}/{name}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert f"SettingError: {folder}/" in done.stderr and reason in done.stderr


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_keeps_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error("no space left")

    file = tmp_path / "scores.csv"
    file.write_bytes(OLD)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(error):
        write_atomically(file, NEW, TABLE)
    assert file.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["scores.csv"]
