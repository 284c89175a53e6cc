"""What retention leaves of updates: enough to know an older one that comes after it.

Of the newest update that a destination has, for each ordering key and item, the moment or number
stays, and a keyed digest of the item's key. All else of `latest` and of items is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select, update

from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import deliveries, ordered_events, payloads
from orchestrator.store.database.store_key import key_of_store
from orchestrator.store.drive.superseding import item_digest

ItemDigest = tuple[str, str, str]
"""Event id, name of the delivery, and what its column `item` has instead of the key."""

_MOST_ROWS = 5_000  # in one statement


def digest_items(tx: Connection, ids: Sequence[str]) -> list[ItemDigest]:
    """Digests of the items of these events to which later updates may be compared."""
    rows = _ITEMS.run(tx, ids=list(ids)).all()
    secret = key_of_store(tx) if rows else b""
    return [
        (row.event_id, row.name, item_digest(secret, row.line, row.destination, row.item))
        for row in rows
    ]


def keep_newest(tx: Connection, ids: Sequence[str], digests: Sequence[ItemDigest]) -> None:
    """Keep these digests, and of the lines of these events only what is compared to.

    The contents of the events are forgotten already; the caller holds them.
    """
    for at in range(0, len(digests), _MOST_ROWS):
        some = digests[at : at + _MOST_ROWS]
        _KEEP.run(tx, **row_values(tx, list(_DIGEST), some))
    passed = list(_PASSED.run(tx, ids=list(ids)).scalars())
    if passed:
        _FORGET_RANKS.run(tx, ids=passed)
        _FORGET_ITEMS.run(tx, ids=passed)


def _select_items(dialect: str) -> Any:
    table, ordered = deliveries.c, ordered_events.c
    return (
        select(table.event_id, table.name, table.destination, table.item, ordered.line)
        .join(ordered_events, ordered.event_id == table.event_id)
        .where(
            among(dialect, table.event_id),
            ordered.rank.is_not(None),
            table.item.is_not(None),
            table.state == DeliveryState.CONFIRMED.value,
        )
    )


_DIGEST = dict.fromkeys(("event_id", "name", "item"), str)


def _keep(dialect: str) -> Any:
    given, table = rows_of(dialect, **_DIGEST), deliveries.c
    own = and_(table.event_id == given.c.event_id, table.name == given.c.name)
    return update(deliveries).where(own).values(item=given.c.item)


def _select_passed(dialect: str) -> Any:
    """Forgotten events of these events' lines that are the newest nowhere; in one order, held."""
    me, newer = ordered_events.alias("mine"), ordered_events.alias("newer").c
    made, other = deliveries.alias("own"), deliveries.alias("other").c
    mine, own = me.c, made.c
    newer_is_there = (
        exists()
        .where(
            newer.line == mine.line,
            newer.rank > mine.rank,
            func.substr(newer.rank, 1, 1) == func.substr(mine.rank, 1, 1),  # of one kind
            other.event_id == newer.event_id,
            other.destination == own.destination,
            other.item.is_not_distinct_from(own.item),
            other.state == DeliveryState.CONFIRMED.value,
        )
        .correlate(me, made)
    )  # of itself it looks no further than into the statement around it
    is_newest = exists().where(
        own.event_id == mine.event_id,
        own.state == DeliveryState.CONFIRMED.value,
        ~newer_is_there,
    )
    lines = select(ordered_events.c.line).where(among(dialect, ordered_events.c.event_id))
    found = (
        select(mine.event_id)
        .where(
            mine.line.in_(lines),
            mine.rank.is_not(None),
            ~exists().where(payloads.c.event_id == mine.event_id),
            ~is_newest,
        )
        .order_by(mine.event_id)
    )
    return found if dialect == "sqlite" else found.with_for_update()


def _forget_ranks(dialect: str) -> Any:
    passed = among(dialect, ordered_events.c.event_id)
    return update(ordered_events).where(passed).values(rank=None)


def _forget_items(dialect: str) -> Any:
    return update(deliveries).where(among(dialect, deliveries.c.event_id)).values(item=None)


_ITEMS, _KEEP, _PASSED = Prepared(_select_items), Prepared(_keep), Prepared(_select_passed)
_FORGET_RANKS, _FORGET_ITEMS = Prepared(_forget_ranks), Prepared(_forget_items)
