"""What one process of a long run plays."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from tests.store.changes.governance.ground import Databases, Files, Ground
from tests.store.changes.governance.play import Outcome, play


def play_chunk(number: int, count: int, plant: str | None, server: str | None) -> Outcome:
    """Play some interleavings where this process plays; `server` is PostgreSQL's address."""
    return play(_ground(server), count, number=number, plant=plant)


@cache
def _ground(server: str | None) -> Ground:
    """Where this process plays."""
    if server is not None:
        return Databases(server)
    folder = tempfile.TemporaryDirectory(prefix="meshline-governance-", dir=_memory())
    _KEPT.append(folder)  # until the process ends
    return Files(Path(folder.name))


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _memory() -> str | None:
    """A folder in memory, where there is one: no power fails here."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
