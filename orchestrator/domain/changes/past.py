"""A past event, as a backtest looks at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.changes.backtest import Place

Sent = tuple[str, str | None, str]
"""A delivery's destination, its item and its fields; both as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastEvent:
    """One event as the store has it. Times in milliseconds since 1970."""

    id: str
    accepted_at: int
    delivered_at: int | None  # None: not all of its deliveries are confirmed
    body: str  # the payload as it came, JSON
    by_hand: bool  # somebody amended it
    outcome: str | None  # why it is or was in quarantine, or its destinations; None: neither
    sends: tuple[Sent, ...]  # of one that somebody amended
    weight: float = 1.0  # how many events it stands for


def outcome_of(places: Iterable[Place]) -> str:
    """What is said of an event that goes there: its destinations, by name."""
    return ", ".join(sorted({destination for destination, _ in places}))
