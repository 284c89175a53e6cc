"""Deliveries that wait for other destinations: parked when planned, released after those."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, case, select, update

from orchestrator.domain.event import Item, MadeRecord
from orchestrator.domain.lifecycle import DONE_DELIVERIES, SETTLED_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of, storable
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import item_of
from orchestrator.store.drive.item_names import Plan


def park(tx: Connection, plans: Mapping[str, Plan]) -> None:
    """Let the planned deliveries wait that come after others; what was made stays as it is."""
    rows = [
        (event_id, name, orjson.dumps(planned.after).decode())
        for event_id, plan in plans.items()
        for name, planned in plan.items()
        if planned.after
    ]
    if rows:
        _PARK.run(tx, **row_values(tx, list(_PARKED), rows))


_PARKED = dict.fromkeys(("event_id", "name", "comes_after"), str)


def _park(dialect: str) -> Any:
    given, table = rows_of(dialect, **_PARKED), deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            table.state == DeliveryState.PENDING.value,
        )
        .values(
            state=DeliveryState.WAITING,
            comes_after=given.c.comes_after,
            # Before its time a look-up is not to be believed, however long the delivery waited.
            due_at=case((table.unknown, table.due_at), else_=None),
            updated_at=now_ms(),
        )
    )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The place of a delivery that waits in its event."""

    name: str
    destination: str
    item: Item


@dataclass(frozen=True, kw_only=True)
class Before:
    """What an event's deliveries that wait are computed from."""

    records: Mapping[str, MadeRecord]  # by destination, of those of which all are made
    waiting: Mapping[str, Planned]  # by name


def load_before(tx: Connection, ids: Collection[str]) -> dict[str, Before]:
    """The records that these events' destinations made, and the deliveries that wait for some."""
    found: dict[str, tuple[dict[str, list[MadeRecord | None]], dict[str, Planned]]] = {}
    for row in _LOAD.run(tx, ids=list(ids)).all():
        records, waiting = found.setdefault(row.event_id, ({}, {}))
        records.setdefault(row.destination, []).append(_record(row))
        if row.state == DeliveryState.WAITING:
            waiting[row.name] = Planned(
                name=row.name, destination=row.destination, item=item_of(row.item)
            )
    return {
        event_id: Before(records=dict(_all_made(records)), waiting=waiting)
        for event_id, (records, waiting) in found.items()
    }


def _record(row: AnyRow) -> MadeRecord | None:
    """What is known of a delivery's record; None where it is to come."""
    if row.state in DONE_DELIVERIES:
        return MadeRecord(record_id=row.record_id, url=row.record_url)
    return MadeRecord() if row.state in SETTLED_DELIVERIES else None


def _all_made(
    records: Mapping[str, Sequence[MadeRecord | None]],
) -> Iterator[tuple[str, MadeRecord]]:
    for destination, made in records.items():
        known = [one for one in made if one is not None]
        if len(known) == len(made):
            yield destination, known[0] if len(known) == 1 else MadeRecord()


def _select_before(dialect: str) -> Any:
    table = deliveries.c
    columns = (
        table.event_id, table.name, table.destination, table.item, table.state,
        table.record_id, table.record_url,
    )  # fmt: skip
    return select(*columns).where(among(dialect, table.event_id))


@dataclass(frozen=True, kw_only=True)
class Released:
    """A delivery that no longer waits, with all that it is sent."""

    event_id: str
    name: str
    send: Mapping[str, object]
    confirm: Sequence[str]


def release(tx: Connection, rows: Sequence[Released]) -> None:
    """Make deliveries due that no longer wait. The caller holds their events."""
    if rows:
        values = [
            (
                one.event_id,
                one.name,
                orjson.dumps(one.send).decode(),
                orjson.dumps(one.confirm).decode(),
            )
            for one in rows
        ]
        _RELEASE.run(tx, **row_values(tx, list(_GOING), values))


_GOING = dict.fromkeys(("event_id", "name", "send", "confirm"), str)


def _release(dialect: str) -> Any:
    given, table = rows_of(dialect, **_GOING), deliveries.c
    return _update_waiting(
        given,
        state=DeliveryState.PENDING,
        send=given.c.send,
        confirm=given.c.confirm,
        due_at=case((table.due_at > now_ms(), table.due_at), else_=now_ms()),
    )


@dataclass(frozen=True, kw_only=True)
class NotComputable:
    """A delivery whose fields cannot be computed from the records that it waited for."""

    event_id: str
    name: str
    reason: Reason
    error: str  # for people


def give_up_waiting(tx: Connection, rows: Sequence[NotComputable]) -> None:
    """Let deliveries fail that cannot be computed. The caller holds their events."""
    if rows:
        values = [(one.event_id, one.name, one.reason.value, storable(one.error)) for one in rows]
        _GIVE_UP.run(tx, **row_values(tx, list(_GIVEN_UP), values))


_GIVEN_UP = dict.fromkeys(("event_id", "name", "reason", "error"), str)


def _give_up(dialect: str) -> Any:
    given = rows_of(dialect, **_GIVEN_UP)
    return _update_waiting(
        given, state=DeliveryState.FAILED, reason=given.c.reason, error=given.c.error
    )


def _update_waiting(given: Any, **values: Any) -> Any:
    table = deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            table.state == DeliveryState.WAITING.value,
        )
        .values(updated_at=now_ms(), **values)
    )


_PARK, _LOAD = Prepared(_park), Prepared(_select_before)
_RELEASE, _GIVE_UP = Prepared(_release), Prepared(_give_up)
