"""Past events of a workflow as a backtest reads them: payload, and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from orchestrator.domain.changes.backtest import Place
from orchestrator.domain.changes.past import PastEvent, Sent, outcome_of
from orchestrator.domain.incidents.outcomes import StayOutcome
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.store.database.clock import first_id
from orchestrator.store.database.schema import deliveries, events, payloads, quarantine

_E = events.c
_SPACE = 2**64


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The events of a workflow that were accepted in a time, in milliseconds since 1970."""

    client: str
    workflow: str
    since: int
    until: int  # not this one any more

    @property
    def end(self) -> str:
        """No id of them is above this."""
        return first_id(self.until)

    def where(self) -> ColumnElement[bool]:
        """The condition on `events`."""
        times = and_(_E.id >= first_id(self.since), _E.id < self.end)
        return and_(times, _E.client == self.client, _E.workflow == self.workflow)

    def of_chunk(self, after: str, last: str) -> ColumnElement[bool]:
        """The condition on `events` with an id above the first and up to the second.

        These are found by their ids: by an index of client and workflow, which a planner without
        statistics prefers, every chunk would go through all events of the workflow.
        """
        mine = and_(_E.client + "" == self.client, _E.workflow + "" == self.workflow)
        times = and_(_E.id >= first_id(self.since), _E.id < self.end)
        return and_(times, _E.id > after, _E.id <= last, mine)


Stratum = tuple[str, str]
"""A state, and the reason why it is in quarantine; without one the reason is empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """How many events there are."""

    events: int
    with_payload: dict[Stratum, int]  # the others' are gone after their time, or were erased


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Which events are looked at: of each stratum a share, chosen by a hash of seed and id."""

    seed: int
    shares: Mapping[Stratum, float]  # 1 where all are; of what came since, all are

    def weight(self, stratum: Stratum, event_id: str) -> float:
        """How many events this one stands for; 0 where it is left out."""
        share = self.shares.get(stratum, 1.0)
        if share >= 1:
            return 1.0
        digest = hashlib.sha256(f"{self.seed} {event_id}".encode()).digest()
        return 1 / share if int.from_bytes(digest[:8]) < share * _SPACE else 0.0


def count_past(tx: Connection, span: Span) -> Past:
    """Count them."""
    held = payloads.c.event_id
    kept = events.outerjoin(payloads, held == _E.id)
    by_state = select(_E.state, func.count(), func.count(held)).select_from(kept)
    rows = tx.execute(by_state.where(span.where()).group_by(_E.state)).all()
    with_payload: dict[Stratum, int] = {
        (row[0], ""): int(row[2]) for row in rows if row[0] != State.QUARANTINED
    }
    stands = kept.join(quarantine, _STANDS)
    by_reason = select(quarantine.c.reason, func.count(held)).select_from(stands)
    for reason, count in tx.execute(by_reason.where(span.where()).group_by(quarantine.c.reason)):
        with_payload[State.QUARANTINED.value, reason] = int(count)
    return Past(events=sum(int(row[1]) for row in rows), with_payload=with_payload)


def ends_of_chunks(
    tx: Connection, span: Span, *, after: str, size: int, most: int
) -> tuple[list[str], bool]:
    """The last id of each so many events above `after`, in order, of `most` chunks.

    True where there are no more chunks: then the span's end is the last.
    """
    ids = select(_E.id).where(span.where(), _E.id > after).order_by(_E.id).limit(size * most)
    some = ids.subquery()
    place = func.row_number().over(order_by=some.c.id).label("place")
    numbered = select(some.c.id, place).subquery()
    found = select(numbered.c.id).where(numbered.c.place % size == 0).order_by(numbered.c.id)
    ends = list(tx.execute(found).scalars())
    return (ends, False) if len(ends) == most else ([*ends, span.end], True)


def past_events(
    tx: Connection, span: Span, sample: Sample, *, after: str, last: str
) -> list[PastEvent]:
    """Events with an id above `after` and up to `last`, in order."""
    found = (
        select(
            _E.id,
            _E.state,
            _E.accepted_at,
            _E.updated_at,
            payloads.c.body,
            payloads.c.amended.is_not(None).label("by_hand"),
            func.coalesce(quarantine.c.reason, "").label("reason"),
        )
        .select_from(
            events.join(payloads, payloads.c.event_id == _E.id).outerjoin(quarantine, _STANDS)
        )
        .where(span.of_chunk(after, last))
        .order_by(_E.id)
    )
    rows = tx.execute(found).all()
    weights = {row.id: sample.weight((row.state, row.reason), row.id) for row in rows}
    kept = [row for row in rows if weights[row.id]]
    stopped = {row.id: row.reason for row in kept if row.reason}
    stopped |= _discarded(tx, [row.id for row in kept if row.state == State.DISCARDED])
    sent = _sent(tx, [row.id for row in kept if row.id not in stopped])
    mended = _sends(tx, [row.id for row in kept if row.by_hand])
    return [
        _event(
            row,
            stopped.get(row.id) or (outcome_of(sent[row.id]) if row.id in sent else None),
            mended.get(row.id, ()),
            weights[row.id],
        )
        for row in kept
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantinedPayload:
    """An event in quarantine with its payload, which a replay would judge."""

    id: str
    reason: str  # why it is there
    body: str  # its payload as somebody amended it, else as it came, JSON


def count_quarantined(tx: Connection, client: str, workflow: str) -> int:
    """How many events of a workflow are in quarantine and have a payload."""
    found = select(func.count()).select_from(_IN_QUARANTINE).where(_stands_in(client, workflow))
    return int(tx.execute(found).scalar_one())


def quarantined_payloads(
    tx: Connection, client: str, workflow: str, *, after: str, limit: int
) -> list[QuarantinedPayload]:
    """Events in quarantine with an id above `after`, in order."""
    body = func.coalesce(payloads.c.amended, payloads.c.body).label("body")
    found = select(quarantine.c.event_id, quarantine.c.reason, body).select_from(_IN_QUARANTINE)
    mine = (_stands_in(client, workflow), quarantine.c.event_id > after)
    rows = tx.execute(found.where(*mine).order_by(quarantine.c.event_id).limit(limit))
    return [QuarantinedPayload(id=row.event_id, reason=row.reason, body=row.body) for row in rows]


def _stands_in(client: str, workflow: str) -> ColumnElement[bool]:
    table = quarantine.c
    return and_(table.released_at.is_(None), table.client == client, table.workflow == workflow)


def bodies_of(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Payloads as they came, JSON, by event; those that are gone are left out."""
    table = payloads.c
    found = select(table.event_id, table.body).where(table.event_id.in_(ids))
    return {row.event_id: row.body for row in tx.execute(found)} if ids else {}


_IN_QUARANTINE = quarantine.join(payloads, payloads.c.event_id == quarantine.c.event_id)


def _event(row: Any, outcome: str | None, sends: Sequence[Sent], weight: float) -> PastEvent:
    return PastEvent(
        id=row.id,
        accepted_at=row.accepted_at,
        delivered_at=row.updated_at if row.state == State.DELIVERED else None,
        body=row.body,
        by_hand=bool(row.by_hand),
        outcome=outcome,
        sends=tuple(sends),
        weight=weight,
    )


_STANDS = and_(quarantine.c.event_id == _E.id, quarantine.c.released_at.is_(None))
_MADE = deliveries.c.state != DeliveryState.UNDONE.value


def _discarded(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Why events were in quarantine that were then discarded; the last time counts."""
    if not ids:
        return {}
    table = quarantine.c
    given_up = (table.outcome == StayOutcome.DISCARDED.value, table.event_id.in_(ids))
    found = select(table.event_id, table.reason).where(*given_up).order_by(table.id)
    return {row.event_id: row.reason for row in tx.execute(found)}


def _sent(tx: Connection, ids: Sequence[str]) -> dict[str, set[Place]]:
    """The destinations of each event's deliveries."""
    found: dict[str, set[Place]] = {}
    rows = select(deliveries.c.event_id, deliveries.c.destination).where(
        deliveries.c.event_id.in_(ids), _MADE
    )
    for event_id, destination in tx.execute(rows.distinct()):
        found.setdefault(event_id, set()).add((destination, None))
    return found


def _sends(tx: Connection, ids: Sequence[str]) -> dict[str, list[Sent]]:
    """What each event's deliveries sent."""
    if not ids:
        return {}
    table = deliveries.c
    found: dict[str, list[Sent]] = {}
    rows = select(table.event_id, table.destination, table.item, table.send).where(
        table.event_id.in_(ids), _MADE
    )
    for event_id, destination, item, send in tx.execute(rows):
        found.setdefault(event_id, []).append((destination, item, send))
    return found
