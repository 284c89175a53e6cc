"""How many events are in each state, and how many nobody drives on."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal, select, union_all

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import event_approvals, events, quarantine
from orchestrator.store.quarantine.asked import IS_WAITING


def count_states(tx: Connection, *, client: str | None = None) -> dict[str, int]:
    """How many events are in each state; every state is named."""
    owned = [] if client is None else [events.c.client == client]
    stays = quarantine.join(events, events.c.id == quarantine.c.event_id)
    some = select(func.count(quarantine.c.event_id.distinct())).select_from(stays).where(*owned)
    all_ = select(func.count()).select_from(events).where(*owned)
    counts = {
        State.QUARANTINED: some.where(quarantine.c.released_at.is_(None)),
        State.DISCARDED: some.where(events.c.state == State.DISCARDED),
        # Nearly all there are: so they are the rest, and nobody reads them one by one.
        State.DELIVERED: all_,
    }
    unfinished = (
        select(events.c.state, func.count())
        .where(events.c.due_at.is_not(None), *owned)
        .group_by(events.c.state)
    )
    awaits = event_approvals.join(events, events.c.id == event_approvals.c.event_id)
    asked = select(func.count()).select_from(awaits).where(*owned)
    counts[State.AWAITING_APPROVAL] = asked.where(IS_WAITING)
    # One statement, so that all numbers are of one moment.
    counted = union_all(
        unfinished,
        *(select(literal(state.value), one.scalar_subquery()) for state, one in counts.items()),
    )
    found: dict[str, int] = {row[0]: row[1] for row in tx.execute(counted)}
    others = sum(count for state, count in found.items() if state != State.DELIVERED)
    return {state.value: found.get(state, 0) for state in State} | {
        State.DELIVERED.value: found[State.DELIVERED] - others
    }


def count_under_way(tx: Connection) -> int:
    """How many events a relay or a worker has still to drive on, due or not."""
    statement = select(func.count()).select_from(events)
    return tx.execute(statement.where(events.c.due_at.is_not(None))).scalar_one()


def count_late(tx: Connection, *, seconds: float) -> int:
    """How many events have been due for longer than that: nobody drives them on."""
    statement = select(func.count()).select_from(events)
    return tx.execute(statement.where(events.c.due_at < after(-seconds))).scalar_one()
