"""Read one event for the commands that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.who import seen_clients

if TYPE_CHECKING:
    from orchestrator.operations.replay.judge import AdvisedEvent


def read_event(event_id: str, *, payload: bool) -> tuple[AdvisedEvent | None, int]:
    """The event of an id, or of the beginning of one, and the store's time in milliseconds.

    `payload`: with what came and what a fix made of it. None: there is no such event, or whoever
    asks may not see its client. Raises Refused for a beginning that several ids have.
    """
    with opened_store() as store:
        from orchestrator.operations.replay.judge import with_next_steps
        from orchestrator.store.views.events.short_ids import whole_id
        from orchestrator.store.views.events.show import show_event
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            seen = show_event(tx, whole_id(tx, event_id), with_payload=payload, clients=clients)
            event = with_next_steps(tx, seen)
        return shown_here(store, event), now
