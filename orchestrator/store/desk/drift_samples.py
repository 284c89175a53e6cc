"""Payloads for the drift diagnosis: bounded samples of what broke, and of what passed around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.drift.compare import Broken
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import events, payloads, quarantine
from orchestrator.store.views.quarantine.selection import Selection, narrowed
from orchestrator.store.views.quarantine.spread import spread

SENDERS = (Reason.CONTRACT_VIOLATION, Reason.MISSING_FACT, Reason.NO_ROUTE, Reason.RULE_ERROR)
"""Reasons that lie in what was sent."""

MOST_BROKEN = 100
MOST_ACCEPTED = 60
_NEAR = (1_000, 20_000)  # events on each side among which accepted ones are looked for first
_AT_ONCE = 20
_MOST_LETTERS = 4_000_000  # of all payloads of one sample together


@dataclass(frozen=True, kw_only=True)
class Affected:
    """A workflow whose events the selection has."""

    client: str
    workflow: str
    events: int
    first: str  # the lowest id of these


def affected_workflows(tx: Connection, selection: Selection, *, most: int) -> list[Affected]:
    """The workflows of the selected events that a sender broke, the most events first."""
    table = quarantine.c
    counted = select(
        table.client,
        table.workflow,
        func.count().label("events"),
        func.min(table.event_id).label("first"),
    ).group_by(table.client, table.workflow)
    rows = tx.execute(
        _sent(tx, counted, selection).order_by(func.count().desc(), table.workflow).limit(most)
    )
    return [Affected(**row._mapping) for row in rows]


def broken_sample(tx: Connection, selection: Selection, where: Affected) -> list[Broken]:
    """Some of the selected events of a workflow, spread over them, as they came."""
    table = quarantine.c
    chosen = select(table.event_id, table.since, table.violations).where(
        table.client == where.client, table.workflow == where.workflow
    )
    return _broken(tx, tx.execute(spread(_sent(tx, chosen, selection), MOST_BROKEN)).all())


def broken_events(tx: Connection, ids: Sequence[str]) -> list[Broken]:
    """Those of some quarantined events that a sender broke, as they came; at most MOST_BROKEN."""
    table = quarantine.c
    chosen = (
        select(table.event_id, table.since, table.violations)
        .where(table.event_id.in_(ids), table.released_at.is_(None), table.reason.in_(SENDERS))
        .order_by(table.id)
        .limit(MOST_BROKEN)
    )
    return _broken(tx, tx.execute(chosen).all())


def _broken(tx: Connection, rows: Sequence[AnyRow]) -> list[Broken]:
    stays = {row.event_id: row for row in rows}
    return [
        Broken(
            payload=payload,
            since=stays[event_id].since,
            violations=tuple(Violation(**one) for one in orjson.loads(stays[event_id].violations)),
        )
        for event_id, payload in _payloads(tx, list(stays))
    ]


def accepted_sample(tx: Connection, client: str, workflow: str, *, beside: str) -> list[object]:
    """Payloads of a workflow that were delivered as they came, the nearest to this event's id."""
    whose, half = (client, workflow), MOST_ACCEPTED // 2
    ids = [
        *_delivered_near(tx, events.c.id < beside, whose, half),
        *_delivered_near(tx, events.c.id > beside, whose, half),
    ]
    if not ids:  # a quiet workflow beside busy ones
        ids = _delivered(tx, events, whose, MOST_ACCEPTED)
    return [payload for _, payload in _payloads(tx, ids)]


def _sent(tx: Connection, statement: Select[Any], selection: Selection) -> Select[Any]:
    return narrowed(tx, statement, selection).where(quarantine.c.reason.in_(SENDERS))


def _delivered_near(tx: Connection, condition: Any, whose: tuple[str, str], most: int) -> list[str]:
    found: list[str] = []
    for among in _NEAR:
        found = _delivered(tx, _near(condition, among), whose, most)
        if len(found) == most:
            break
    return found


def _near(condition: Any, among: int) -> Any:
    """So many of the newest events of which a condition holds, whatever workflow they are of."""
    table = events.c
    columns = (table.id, table.client, table.workflow, table.state)
    return select(*columns).where(condition).order_by(table.id.desc()).limit(among).subquery()


def _delivered(tx: Connection, source: Any, whose: tuple[str, str], most: int) -> list[str]:
    table, (client, workflow) = source.c, whose
    found = (
        select(table.id)
        .join(payloads, payloads.c.event_id == table.id)
        .where(
            table.client == client,
            table.workflow == workflow,
            table.state == State.DELIVERED,
            payloads.c.amended.is_(None),
        )
        .limit(most)
    )
    if source is not events:  # in the order of their ids all of a busy store would be read
        found = found.order_by(table.id.desc())
    return list(tx.execute(found).scalars())


def _payloads(tx: Connection, ids: Sequence[str]) -> Iterator[tuple[str, object]]:
    """The payloads as they came; those that are forgotten, or would be too many, are left out."""
    letters = 0
    for at in range(0, len(ids), _AT_ONCE):
        some = payloads.c.event_id.in_(ids[at : at + _AT_ONCE])
        bodies = {row.event_id: row.body for row in tx.execute(select(payloads).where(some))}
        for event_id in ids[at : at + _AT_ONCE]:
            letters += len(bodies.get(event_id, ""))
            if event_id in bodies and letters <= _MOST_LETTERS:
                yield event_id, orjson.loads(bodies[event_id])
        if letters > _MOST_LETTERS:
            return
