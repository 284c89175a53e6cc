"""Take a proposal back."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeMove
from orchestrator.domain.whys import optional_why
from orchestrator.operations.changes.hold import check_open, check_seen, held_change
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.store.changes.changes import move_change
from orchestrator.store.database.engine import Store


def withdraw_change(
    store: Store,
    token: str,
    *,
    actor: Actor,
    why: str | None = None,
    seen: Collection[str] = (),
) -> Settled:
    """Take an open change back; what is live stays.

    `seen` are digests, one of which it has to have still; without one it is not compared. Raises
    NotFound, Forbidden, IllegalMove with who decided before, ChangedSinceSeen.
    """
    reason = optional_why(why)
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.WITHDRAW_CHANGE)
        check_open(change)
        check_seen(change, seen)
        detail = {"why": reason}
        move_change(tx, change, ChangeMove.WITHDRAW, actor=actor.name, detail=detail)
        return settled(tx, token)
