"""The home folder of the embedded services: one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.starting import make_private

_PATIENCE = 15.0  # seconds for the children of a killed supervisor to end


@contextmanager
def hold_home(home: Path) -> Iterator[int]:
    """Hold the folder; what is given is the lock's file descriptor, for children to inherit.

    The lock lasts as long as one of them lives, so that two brokers never write one file. Raises
    StartupFailed where somebody else holds it, or the folder cannot be written.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        make_private(home / "lock", home / "broker.url")
    except OSError as error:
        raise StartupFailed(f"{home} cannot be used: {error.strerror}; see MESHLINE_HOME") from None
    try:
        _acquire(lock, home)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)


def empty_home(home: Path) -> None:
    """Remove all that is in the folder, but its lock. Raises StartupFailed where it is in use."""
    with hold_home(home):
        for path in home.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != "lock":
                path.unlink(missing_ok=True)


def _acquire(lock: int, home: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(lock)
            if holder is not None or time.monotonic() > end:
                who = f"process {holder}" if holder else "what an earlier run has left"
                raise StartupFailed(
                    f"{home.absolute()} is in use by {who}: stop it, or set MESHLINE_HOME"
                    " to another folder"
                ) from None
            time.sleep(0.1)
        else:
            return


def _holder(lock: int) -> int | None:
    """The supervisor that wrote its number into the lock, where it still lives."""
    number = os.pread(lock, 20, 0)
    if not number.isdigit():
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return int(number)
