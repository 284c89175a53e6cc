"""Whom alerts reached lately, and by which connectors handoffs were confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from orchestrator.domain.changes.gates.present import REACHED_DAYS, Reach
from orchestrator.store.database.clock import first_id, now_ms
from orchestrator.store.database.schema import alerts, deliveries

_DAY_MS = 86_400_000
_MOST_READ = 20_000  # deliveries, the newest
_DONE = ("confirmed", "receipted")


def reached(tx: Connection, owners: Mapping[str, str]) -> tuple[Reach, ...]:
    """For each role and its address, whether alerts of the last 30 days went out."""
    since = now_ms() - REACHED_DAYS * _DAY_MS
    addresses = set(owners.values())
    rows = tx.execute(
        select(alerts.c.recipient, alerts.c.state)
        .where(alerts.c.recipient.in_(addresses), alerts.c.created_at >= since)
        .where(alerts.c.state.in_(("sent", "failed")))
        .order_by(alerts.c.id)
    ).all()
    last = {row.recipient: row.state for row in rows}
    sent = {row.recipient for row in rows if row.state == "sent"}
    return tuple(
        Reach(
            role=role,
            address=address,
            sent=address in sent,
            failed=last.get(address) == "failed",
        )
        for role, address in owners.items()
    )


def proven_connectors(tx: Connection, connectors: Collection[str]) -> frozenset[str]:
    """Of these, the ones by which a delivery of the last 24 hours' events was confirmed."""
    now = int(tx.execute(select(now_ms())).scalar_one())
    newest = (
        select(deliveries.c.connector, deliveries.c.state)
        .where(deliveries.c.event_id >= first_id(now - _DAY_MS))
        .order_by(deliveries.c.event_id.desc())
        .limit(_MOST_READ)
        .subquery()
    )
    wanted = (newest.c.connector.in_(connectors), newest.c.state.in_(_DONE))
    return frozenset(tx.execute(select(newest.c.connector).where(*wanted).distinct()).scalars())
