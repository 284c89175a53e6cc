"""Replay plans as people read them: what is done with a delivery, in words."""

from __future__ import annotations

EFFECTS = {
    "send": "sent: nothing of it is there yet",
    "anew": "made anew: what was made before was taken back",
    "done": "made already, and not repeated",
    "look": "looked for first, and not made twice",
    "again": "MAY ARRIVE TWICE: nobody can look it up",
    "drop": "not sent: the new plan leaves it out",
}
"""What running a plan does with deliveries, by the word of the effect."""

PLAN_STATES = {"running": "begun"}
"""What is said of a plan's state: that a run began is known, not that one is still there."""
