"""What needs somebody now, in numbers; none of them costs more where there is more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, ScalarSelect, false, select

from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.database.schema import (
    circuits,
    dead_letters,
    deliveries,
    event_approvals,
    events,
    incidents,
    quarantine,
)
from orchestrator.store.destinations.held_deliveries import IS_HELD, client_of_held
from orchestrator.store.quarantine.asked import IS_WAITING
from orchestrator.store.quarantine.dead_letters import LetterState
from orchestrator.store.views.incidents.list import OVERDUE, waits_for
from orchestrator.store.views.overview.bounded import Bounded, bounded, count_up_to


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """How many of each kind wait for a person."""

    mine: Bounded  # incidents that are whoever asks', and that they did not acknowledge
    overdue: Bounded  # incidents whose deadline has passed
    unacknowledged: Bounded  # incidents of which nobody said that they are on it
    blocked: Bounded  # connectors, actions and destinations that are paused or broken
    held: Bounded  # deliveries that wait there
    dead_letters: Bounded  # broker messages that no worker could read, and nobody closed
    quarantined: Bounded  # events
    to_approve: Bounded  # events that wait for a person's yes


def count_attention(
    tx: Connection, *, clients: Collection[str] | None = None, mail: str | None = None
) -> Attention:
    """Count, in one statement. With clients only what is theirs; `mail` is whose incidents wait.

    Connectors and dead letters are nobody's: these are counted all the same.
    """
    of_it = () if clients is None else (incidents.c.client.in_(clients),)
    stays: list[ColumnElement[bool]] = [quarantine.c.released_at.is_(None)]
    if clients is not None:
        stays.append(quarantine.c.client.in_(clients))
    asked = [IS_WAITING]
    if clients is not None:
        asked.append(event_approvals.c.client.in_(clients))
    waits = false() if mail is None else waits_for(mail)
    counted = {
        "mine": count_up_to(incidents, waits, *of_it),
        "overdue": count_up_to(incidents, OVERDUE, *of_it),
        "unacknowledged": count_up_to(incidents, incidents.c.state == IncidentState.OPEN, *of_it),
        "blocked": count_up_to(circuits, circuits.c.block.is_not(None)),
        "held": _count_held(clients),
        "dead_letters": count_up_to(dead_letters, dead_letters.c.state == LetterState.STANDING),
        "quarantined": count_up_to(quarantine, *stays),
        "to_approve": count_up_to(event_approvals, *asked),
    }
    row = tx.execute(select(*(one.label(name) for name, one in counted.items()))).one()
    return Attention(**{name: bounded(count) for name, count in row._mapping.items()})


def _count_held(clients: Collection[str] | None) -> ScalarSelect[int]:
    if clients is None:
        return count_up_to(deliveries, IS_HELD)
    owned = deliveries.join(events, events.c.id == deliveries.c.event_id)
    return count_up_to(owned, IS_HELD, client_of_held.in_(clients))
