"""Deliveries that are held back by a circuit breaker."""

from __future__ import annotations

from sqlalchemy import select, update

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits, deliveries
from orchestrator.store.destinations.breakers import note_failures

POLICY = BreakerPolicy(failures=1, cooldown_seconds=30)


def opened(store: Store, name: str = "fake") -> None:
    with store.write() as tx:
        note_failures(tx, name, ["an-event"], error="503", policy=POLICY, actor="worker:dispatch")


def cooled_down(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(circuits).values(probe_at=after(-1)))


def pending(store: Store) -> list[str]:
    with store.read() as tx:
        rows = tx.execute(
            select(deliveries.c.event_id).where(
                deliveries.c.state == "pending",
                deliveries.c.held_by.is_(None),
                deliveries.c.due_at <= now_ms(),
            )
        )
        return sorted(rows.scalars())
