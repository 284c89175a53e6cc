"""Take a proposal back."""

from __future__ import annotations

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeMove
from orchestrator.domain.whys import optional_why
from orchestrator.operations.changes.hold import held_change
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.store.changes.changes import move_change
from orchestrator.store.database.engine import Store


def withdraw_change(store: Store, token: str, *, actor: Actor, why: str | None = None) -> Settled:
    """Take an open change back; what is live stays. Raises NotFound, Forbidden, IllegalMove."""
    reason = optional_why(why)
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.WITHDRAW_CHANGE)
        detail = {"why": reason}
        move_change(tx, change, ChangeMove.WITHDRAW, actor=actor.name, detail=detail)
        return settled(tx, token)
