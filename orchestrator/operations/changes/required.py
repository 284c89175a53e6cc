"""Whether a client's changes need an approval: once they do, they always do."""

from __future__ import annotations

from orchestrator.domain.access.actor import Actor
from orchestrator.store.changes.approvers import require_approvals, required_for
from orchestrator.store.database.engine import Tx
from orchestrator.variables import APPROVALS, approvals_are_required


def needs_approval(tx: Tx, client: str) -> bool:
    """Whether a version of this client goes live only with an approval."""
    return approvals_are_required() or required_for(tx, client) is not None


def keep_required(tx: Tx, client: str, actor: Actor) -> bool:
    """The same; that a setting requires it is kept, so that it holds without the setting too."""
    if approvals_are_required() and required_for(tx, client) is None:
        require_approvals(tx, client, cause=APPROVALS, actor=actor.name)
    return needs_approval(tx, client)
