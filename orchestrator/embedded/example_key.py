"""The key by which somebody sends the example a lead: made once, and kept in a private file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from orchestrator.domain.access.actor import process
from orchestrator.domain.errors import KeyRefused
from orchestrator.operations.access.keys import check_key, create_key
from orchestrator.starting import write_private
from orchestrator.store.database.engine import Store


def example_key(store: Store, file: Path, client: str) -> str:
    """The key in this file, while it is in force for this client; else a new one, which is kept.

    It can be shown one time only, and another key at each start would never end.
    """
    with suppress(OSError, UnicodeDecodeError, KeyRefused):
        kept = file.read_text("ascii").strip()
        if check_key(store, kept).permits(client):
            return kept
    key = create_key(store, clients=[client], label="made by up", actor=process("cli:up"))
    write_private(file, key)
    return key
