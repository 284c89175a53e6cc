"""An approved change waits while a version of another change of its workflow is rolled out."""

from __future__ import annotations

from orchestrator.domain.changes.states import GRACE_MS, ChangeState
from orchestrator.store.changes.changes import LockedChange, prolong_change, rolling_change
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import now_of


def wait_for_rollout(tx: Tx, change: LockedChange) -> bool:
    """Let a change wait for the end of another one's rollout; whether it has to wait now.

    It has to be held. If it is approved, its approval then lasts a day longer from now: a rollout
    ends within 29 days, and a keeper that finds the change due before that prolongs it again.
    """
    if rollout_before(tx, change) is None:
        return False
    if change.state is ChangeState.APPROVED:
        prolong_change(tx, change, now_of(tx) + GRACE_MS)
    return True


def rollout_before(tx: Tx, change: LockedChange) -> str | None:
    """The token of the other change of its workflow that is rolled out; None: there is none."""
    other = rolling_change(tx, change.client, change.workflow)
    return None if other == change.token else other
