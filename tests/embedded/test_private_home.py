"""Everything that `meshline up` leaves in its home is its user's alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_until

pytestmark = pytest.mark.processes


def test_what_up_writes_and_finds_is_private_in_a_folder_that_is_not(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "up.log"
    (home / "logs").mkdir(parents=True)
    for found in (home / "logs" / "api.log.1", home / "broker.url", home / "lock"):
        found.touch()
        found.chmod(0o666)
    home.chmod(0o777)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.cli.main", "up"],
            env={
                **os.environ,
                "MESHLINE_HOME": str(home),
                "MESHLINE_PORT": "0",
                "MESHLINE_FLOWER_PORT": "0",
            },
            stdout=out,
            stderr=out,
            umask=0,
        )
    try:
        wait_until(lambda: "everything runs" in log.read_text())
        open_to_others = {
            str(path.relative_to(home)): oct(stat.S_IMODE(path.stat().st_mode))
            for path in home.rglob("*")
            if stat.S_IMODE(path.stat().st_mode) & 0o077
        }
        names = {path.name for path in home.rglob("*")}
    finally:
        process.terminate()
        ended = process.wait(60)

    assert ended == 0  # asked to stop, it stops: no service manager takes that for a failure
    assert open_to_others == {}
    assert {
        "meshline.db",
        "meshline.db-wal",
        "broker.url",
        "lock",
        "token.key",
        "valkey.conf",
        "api.log",
    } <= names
