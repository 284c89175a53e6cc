"""Older updates of what a newer one said already: dropped, once the newer one is confirmed.

It is asked when an event was routed. Nothing else of its line is under way then, so that what is
confirmed at that moment is all that was.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, and_, case, func, or_, select, update

from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import deliveries, ordered_events
from orchestrator.store.database.store_key import key_of_store


def supersede(tx: Connection, ids: Sequence[str], *, items: bool, actor: str) -> None:
    """Drop what these events would send to where a newer update of their line is confirmed.

    `items` says whether some of it is for items.
    """
    digests = _digests(tx, ids) if items else []
    found = _FIND.run(tx, ids=list(ids), **row_values(tx, list(_DIGEST), digests)).all()
    if not found:
        return
    values = [(row[0], row[1], _told(row[3])) for row in found]
    _DROP.run(tx, **row_values(tx, list(_DROPPED), values))
    record_deliveries(tx, [_note(row[0], row[1], row[2], row[3]) for row in found], actor=actor)


def item_digest(secret: bytes, line: str, destination: str, item: str) -> str:
    """What a delivery's column `item` has after retention, where updates are compared with it.

    `item` is the column's text before. It is a keyed digest, for the key is a value of the payload.
    """
    text = f"item\0{line}\0{destination}\0{item}".encode()
    return orjson.dumps({"digest": hmac.digest(secret, text, "sha256").hex()[:32]}).decode()


def _digests(tx: Connection, ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Digests of these events' items, for newer updates of which retention left nothing else."""
    secret = key_of_store(tx)
    return [
        (row.event_id, row.name, item_digest(secret, row.line, row.destination, row.item))
        for row in _ITEMS.run(tx, ids=list(ids))
    ]


def _told(newer: str) -> str:
    return f"a newer update is confirmed, of event {newer}"


def _note(event_id: str, name: str, unknown: object, newer: str) -> DeliveryNote:
    detail: dict[str, object] = {"by": newer}
    if unknown:
        detail["detail"] = "a call of it went out before, and its outcome is not known"
    return DeliveryNote(
        event_id=event_id,
        name=name,
        action="supersede",
        target=DeliveryState.SUPERSEDED,
        detail=detail,
    )


_DIGEST = dict.fromkeys(("event_id", "name", "digest"), str)


def _find(dialect: str) -> Any:
    """Deliveries that were not made, each with an event whose newer one is confirmed."""
    mine, newer = ordered_events.alias("mine").c, ordered_events.alias("newer").c
    made, digests = deliveries.alias("made").c, rows_of(dialect, **_DIGEST)
    other = (
        select(newer.event_id)
        .where(
            newer.line == mine.line,
            newer.rank > mine.rank,
            func.substr(newer.rank, 1, 1) == func.substr(mine.rank, 1, 1),  # of one kind
            made.event_id == newer.event_id,
            made.destination == deliveries.c.destination,
            or_(made.item.is_not_distinct_from(deliveries.c.item), made.item == digests.c.digest),
            made.state == DeliveryState.CONFIRMED.value,
        )
        .order_by(newer.rank.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = (
        select(deliveries.c.event_id, deliveries.c.name, deliveries.c.unknown, other)
        .select_from(
            deliveries.join(mine.event_id.table, mine.event_id == deliveries.c.event_id).outerjoin(
                digests,
                and_(
                    digests.c.event_id == deliveries.c.event_id,
                    digests.c.name == deliveries.c.name,
                ),
            )
        )
        .where(among(dialect, deliveries.c.event_id), _not_made())
        .subquery("found")
    )
    columns = list(found.c)
    return select(*columns).where(columns[3].is_not(None))


def _select_items(dialect: str) -> Any:
    table, ordered = deliveries.c, ordered_events.c
    return (
        select(table.event_id, table.name, table.destination, table.item, ordered.line)
        .join(ordered_events, ordered.event_id == table.event_id)
        .where(among(dialect, table.event_id), table.item.is_not(None), _not_made())
    )


def _not_made() -> Any:
    states = (DeliveryState.PENDING, DeliveryState.WAITING)
    return or_(*(deliveries.c.state == state.value for state in states))


_DROPPED = dict.fromkeys(("event_id", "name", "error"), str)


def _drop(dialect: str) -> Any:
    given, table = rows_of(dialect, **_DROPPED), deliveries.c
    return (
        update(deliveries)
        .where(
            and_(table.event_id == given.c.event_id, table.name == given.c.name),
        )
        .values(
            state=DeliveryState.SUPERSEDED.value,
            # What may be there is looked for if it is replayed, and not before its time.
            due_at=case((table.unknown, table.due_at), else_=None),
            reason=None,
            error=given.c.error,
            updated_at=now_ms(),
        )
    )


_ITEMS, _FIND, _DROP = Prepared(_select_items), Prepared(_find), Prepared(_drop)
