"""Look at what waits for a yes: one event, or a group of them. Looking never changes anything."""

from __future__ import annotations

from orchestrator.domain.approvals.requests import Group
from orchestrator.operations.approvals.decide import no_group, no_request
from orchestrator.store.approvals.views import ApprovalView, GroupView, show_approval, show_group
from orchestrator.store.database.engine import Tx


def find_approval(tx: Tx, event_id: str, clients: frozenset[str] | None) -> ApprovalView:
    """The newest request of an event of one of these clients; None: of any. Raises NotFound."""
    found = show_approval(tx, event_id, clients)
    if found is None:
        raise no_request(event_id)
    return found


def find_group(tx: Tx, group: Group, clients: frozenset[str] | None) -> GroupView:
    """A group in which something waits. Raises NotFound."""
    found = show_group(tx, group, clients)
    if found is None:
        raise no_group(group)
    return found
