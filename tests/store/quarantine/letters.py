"""A message that no worker could read."""

from __future__ import annotations

from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter

LETTER = DeadLetter(
    queue="meshline",
    task="ghost",
    error="no such task",
    headers='{"task": "ghost"}',
    content_type="application/json",
    content_encoding="utf-8",
    body=b"\x00\xff[]",
)


def keep(store: Store, letter: DeadLetter = LETTER) -> int | None:
    with store.write() as tx:
        return keep_dead_letter(tx, letter)
