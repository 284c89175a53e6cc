"""Replay plans as people read them: what is done with a delivery, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.domain.delivery.effects import FOLLOWED

if TYPE_CHECKING:
    from orchestrator.store.desk.plans import StoredPlan

EFFECTS = {
    "send": "sent: nothing of it is there yet",
    "anew": "made anew: what was made before was taken back",
    "done": "made already, and not repeated",
    "look": "looked for first, and not made twice",
    "again": "MAY ARRIVE TWICE: nobody can look it up",
    "drop": "not sent: the new plan leaves it out",
    "same": "left as it is: it would be made the same",
    "undo": "taken back",
    "remake": "taken back, and made again as the live version says",
    "cannot_undo": "LEFT AS IT IS: it cannot be taken back, look into the tool",
}
"""What running a plan does with deliveries, by the word of the effect."""

_PLANNED = {
    "send": "{count} sent to {to}",
    "anew": "{count} made anew at {to}, for what was made before was taken back",
    "done": "{count} made at {to} already, and not repeated",
    "look": "{count} looked for at {to} first, and not made twice",
    "again": "{count} at {to} MAY ARRIVE TWICE: nobody can look them up",
    "drop": "{count} not sent to {to} any more",
    "same": "{count} at {to} left as they are, for they would be the same",
    "undo": "{count} at {to} taken back",
    "remake": "{count} at {to} taken back, and made again",
    "cannot_undo": "{count} at {to} LEFT AS THEY ARE: they cannot be taken back",
}


def told_effects(plan: StoredPlan) -> list[str]:
    """What running a plan does with its deliveries, in words; then what it leaves out."""
    told = [
        _PLANNED[word].format(count=count, to=where)
        for word in EFFECTS
        for where, count in sorted(plan.effects.get(word, {}).items())
    ]
    return told + [_told_left(why, count) for why, count in plan.left_out.items()]


def _told_left(why: str, count: int) -> str:
    if why == FOLLOWED:
        return f"{count} left as they were made: a later event of their key had its turn meanwhile"
    return f"{count} left out, refused again: {why}"


PLAN_STATES = {"running": "begun"}
"""What is said of a plan's state: that a run began is known, not that one is still there."""
