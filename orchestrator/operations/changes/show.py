"""Look at a change, and say what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.operations.changes.hold import no_change
from orchestrator.store.changes.views import ChangeView, show_change
from orchestrator.store.database.engine import Tx


def find_change(tx: Tx, token: str, clients: frozenset[str] | None) -> ChangeView:
    """A change of one of these clients; None: of any. Raises NotFound."""
    found = show_change(tx, token, clients)
    if found is None:
        raise no_change(token)
    return found


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of a change."""

    change: str  # its token
    client: str
    workflow: str
    state: str  # a ChangeState
    live_version: int | None  # that it made; None: not yet, or none
    go_live_at: str | None  # ISO 8601 in UTC; None: it waits for no time
    expires_at: str  # of one that is open: when nobody decided in time


def settled(tx: Tx, token: str) -> Settled:
    """What became of it. Raises NotFound."""
    found = find_change(tx, token, None)
    return Settled(
        change=found.change,
        client=found.client,
        workflow=found.workflow,
        state=found.state,
        live_version=found.live_version,
        go_live_at=found.go_live_at,
        expires_at=found.expires_at,
    )
