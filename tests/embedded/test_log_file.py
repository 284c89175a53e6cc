"""Logs: private, bounded while their programs run, and narrowed where they were wider."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded import log_file
from orchestrator.embedded.home import hold_home
from orchestrator.embedded.log_file import KEPT_LOGS, LogFile
from orchestrator.store.database.migrate import open_store
from tests.embedded.full_disk import no_room
from tests.leads import publish_leads


@pytest.fixture(params=[0o000, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_log_is_put_aside_while_its_program_writes_on(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST_LOG", 1_000)
    log = LogFile(tmp_path / "door.log")
    out = log.open()

    for number in range(200):  # many times the size that it may have
        os.write(out, b"line %04d, which the program writes\n" % number)
        log.rotate()
    os.write(out, b"the last\n")
    os.close(out)

    assert log.path.stat().st_size <= 1_000
    assert log.written().endswith("the last\n")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["door.log", *(f"door.log.{number}" for number in range(1, KEPT_LOGS + 1))]
    every = "".join(
        (tmp_path / name).read_text() for name in [*reversed(files[1:]), files[0]]
    ).splitlines()
    numbers = [int(line[5:9]) for line in every[:-1]]
    assert numbers == list(range(numbers[0], 200))
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_a_log_that_cannot_be_put_aside_loses_nothing_and_stops_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST_LOG", 100)
    log = LogFile(tmp_path / "door.log")
    for number in range(1, KEPT_LOGS + 1):
        (tmp_path / f"door.log.{number}").write_text(f"kept {number}")
    log.path.write_text("x" * 200)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    with no_room():
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                log.rotate()
        os.close(log.open())

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_log_that_is_there_with_more_rights_loses_them(tmp_path: Path) -> None:
    path = tmp_path / "door.log"
    path.touch()
    path.chmod(0o666)

    os.close(LogFile(path).open())

    assert mode(path) == 0o600


def test_a_database_is_its_users_alone_whatever_the_folder_and_the_umask(
    tmp_path: Path, umask: int
) -> None:
    home = tmp_path / "shared"
    home.mkdir()
    home.chmod(0o777)
    database = home / "meshline.db"

    store = open_store(f"sqlite:///{database}")
    publish_leads(store)
    modes = {path.name: mode(path) for path in home.iterdir() if path.is_file()}
    store.close()

    assert set(modes) >= {"meshline.db", "meshline.db-wal", "meshline.db-shm"}
    assert set(modes.values()) == {0o600}


def test_a_database_that_is_there_with_more_rights_loses_them(tmp_path: Path) -> None:
    database = tmp_path / "meshline.db"
    first = open_store(f"sqlite:///{database}")
    publish_leads(first)
    for path in tmp_path.iterdir():
        path.chmod(0o666 if path.is_file() else 0o777)

    second = open_store(f"sqlite:///{database}")  # while the other one is open
    publish_leads(first)
    modes = {path.name: mode(path) for path in tmp_path.iterdir() if path.is_file()}
    second.close()
    first.close()

    assert set(modes.values()) == {0o600}


def test_a_home_is_made_private_and_so_is_what_lies_in_it(tmp_path: Path, umask: int) -> None:
    home = tmp_path / "home"
    with hold_home(home):
        assert mode(home) == 0o700
        assert mode(home / "lock") == 0o600
    (home / "broker.url").touch()
    for name in ("lock", "broker.url"):
        (home / name).chmod(0o644)

    with hold_home(home):
        assert {mode(home / name) for name in ("lock", "broker.url")} == {0o600}
