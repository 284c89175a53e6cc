"""How many events came, were delivered and stalled, hour by hour. It reads many rows: keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import first_id
from orchestrator.store.database.schema import events, quarantine
from orchestrator.store.views.values import iso_time, now_of

HOUR_MS = 3_600_000
MOST_READ = 500_000  # the newest events: what came before them is not counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """What happened in one span of time."""

    begin: str  # ISO 8601 in UTC
    hours: int  # how long it is
    arrived: int  # events that were accepted in it
    delivered: int  # events that were delivered in it, of those that arrived in any of the spans
    stalled: int  # times that an event came into quarantine in it


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """The last day by hours and the last week by quarters of a day, the oldest first."""

    at: str  # when it was counted, ISO 8601 in UTC
    day: tuple[Span, ...]
    week: tuple[Span, ...]
    newest_only: bool  # there were too many: only the newest half million events are counted


def count_traffic(tx: Connection, *, clients: Collection[str] | None = None) -> Traffic:
    """Count the events and the stays in quarantine of the last week."""
    now = now_of(tx)
    last = now // HOUR_MS
    begin = last - 7 * 24 + 1
    arrived, delivered, read = _moved(tx, begin * HOUR_MS, clients)
    counts = _Counts(arrived=arrived, delivered=delivered, stalled=_stalled(tx, begin, clients))
    return Traffic(
        at=iso_time(now),
        day=tuple(counts.spans(last - 23, last, hours=1)),
        week=tuple(counts.spans(begin, last, hours=6)),
        newest_only=read >= MOST_READ,
    )


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """How many in each hour, by the number of hours since 1970."""

    arrived: dict[int, int]
    delivered: dict[int, int]
    stalled: dict[int, int]

    def spans(self, first: int, last: int, *, hours: int) -> Iterator[Span]:
        for begin in range(first, last + 1, hours):
            within = range(begin, begin + hours)
            yield Span(
                begin=iso_time(begin * HOUR_MS),
                hours=hours,
                arrived=sum(self.arrived.get(hour, 0) for hour in within),
                delivered=sum(self.delivered.get(hour, 0) for hour in within),
                stalled=sum(self.stalled.get(hour, 0) for hour in within),
            )


def _moved(
    tx: Connection, since_ms: int, clients: Collection[str] | None
) -> tuple[dict[int, int], dict[int, int], int]:
    """Arrivals and deliveries by hour, and how many events were read for them."""
    table = events.c
    newest = (
        select(table.state, table.accepted_at, table.updated_at)
        .where(table.id >= first_id(since_ms))
        .order_by(table.id.desc())
        .limit(MOST_READ)
    )
    if clients is not None:
        newest = newest.where(table.client.in_(clients))
    some = newest.subquery("newest").c
    came, moved = some.accepted_at // HOUR_MS, some.updated_at // HOUR_MS
    rows = tx.execute(
        select(some.state, came, moved, func.count()).group_by(some.state, came, moved)
    )
    arrived: Counter[int] = Counter()
    delivered: Counter[int] = Counter()
    for state, hour, moved_in, many in rows:
        arrived[hour] += many
        if state == State.DELIVERED:  # at its end: it moved last when it was delivered
            delivered[moved_in] += many
    return arrived, delivered, arrived.total()


def _stalled(tx: Connection, begin: int, clients: Collection[str] | None) -> dict[int, int]:
    """How often an event came into quarantine, by hour."""
    table = quarantine.c
    hour = table.since // HOUR_MS
    counted = select(hour, func.count()).where(table.since >= begin * HOUR_MS).group_by(hour)
    if clients is not None:
        counted = counted.where(table.client.in_(clients))
    return {row[0]: row[1] for row in tx.execute(counted)}
