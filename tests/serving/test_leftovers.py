"""Folders of servers that were killed are removed by the next start."""

import os
import subprocess
import sys

import psutil

from helpers.serving.server import OWNER_FILE, PREFIX, _remove_leftovers
from helpers.tracking import owner


def test_folders_of_dead_servers_are_removed_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    machine = owner().rsplit(":", 2)[0]
    started = psutil.Process(zombie.pid).create_time()
    owners = {
        "zombie": f"{machine}:{zombie.pid}:{started:.0f}",
        "reused": f"{machine}:{os.getpid()}:1",
        "alive": owner(),
        "elsewhere": f"another-machine:{zombie.pid}:1",
        "unreadable": "?",
    }
    for name, text in owners.items():
        (tmp_path / f"{PREFIX}{name}").mkdir()
        (tmp_path / f"{PREFIX}{name}" / OWNER_FILE).write_text(text)
    (tmp_path / f"{PREFIX}without").mkdir()
    _remove_leftovers()
    zombie.wait()
    left = {folder.name.removeprefix(PREFIX) for folder in tmp_path.iterdir()}
    assert left == {"alive", "elsewhere", "unreadable", "without"}
