"""Bodies of messages that a worker reads."""

from __future__ import annotations

from sqlalchemy import select

from orchestrator.store.database.schema import dead_letters
from tests.poison.rig import Rig
from workers import app as _registers  # noqa: F401 - the guarded transport


def body_of(rig: Rig, number: int) -> bytes:
    with rig.store.read() as tx:
        found = select(dead_letters.c.body).where(dead_letters.c.id == number)
        return bytes(tx.execute(found).scalar_one())
