"""Say which clients have nothing yet: a role or a key for a misspelt one does nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def note_unknown_clients(store: Store, clients: Iterable[str]) -> None:
    """A note for each that no live workflow is of."""
    from orchestrator.store.quarantine.workflows import live_workflows

    with store.read() as tx:
        known = {client for client, _ in live_workflows(tx)}
    for client in clients:
        if client not in known:
            note(f"note: client {client!r} has no live workflow yet")
