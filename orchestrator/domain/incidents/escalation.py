"""Escalation: who gets an alert of a late incident, step by step, until somebody is on it.

Which incidents are late and which steps were taken is in rows; here are the decisions.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.delivery.retries import RetryPolicy

ROLES = ("recovery_lead", "owner", "backstop")
"""The role that each step alerts."""

ALERT_RETRIES = RetryPolicy(limit=11, first=15.0, factor=2.0, ceiling=3_600.0)
"""How an alert that could not be sent is tried again: 12 times within four hours, then it fails."""


def recipient_of(step: int, *, lead: str, owner: str, backstop: str) -> str:
    """Whom a step (from 1) tells; `lead` owns the incident now, for it may have been assigned."""
    return (lead, owner, backstop)[step - 1]


def due_steps(taken: int, *, breached_at: int, now: int, waits: Sequence[float]) -> list[int]:
    """The steps that are due and not taken; the first `taken` are.

    `waits` are seconds from the breach, one per step; times are in milliseconds. A step that is not
    due holds back those after it.
    """
    due = []
    for step, wait in enumerate(waits[taken:], start=taken + 1):
        if breached_at + int(wait * 1000) > now:
            break
        due.append(step)
    return due
