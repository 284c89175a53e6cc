"""Erasing: what some events carried is emptied everywhere, and the rows that count them stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, exists, or_, select, update

from orchestrator.domain.approvals.requests import RequestState
from orchestrator.domain.commitments import repeats
from orchestrator.domain.incidents.outcomes import StayOutcome
from orchestrator.domain.lifecycle import DeliveryState, Move, State
from orchestrator.domain.recipes.personal_values import leaves_of, telling_of
from orchestrator.store.database.audit import record_moves
from orchestrator.store.database.audit_values import ERASE
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import (
    deliveries,
    event_approvals,
    events,
    payloads,
    plan_events,
    quarantine,
)
from orchestrator.store.database.store_key import key_of_store
from orchestrator.store.desk.retention import forget_contents
from orchestrator.store.drive.erased_keys import erased_key, note_in_use
from orchestrator.store.ordering import lines
from orchestrator.store.quarantine.asked import IS_WAITING
from orchestrator.store.quarantine.moves import ColumnChange, move_events
from orchestrator.store.quarantine.payload_index import forget_words, optimize_words
from orchestrator.store.quarantine.stays import end_stays_of_returned

ERASED = "erased"
"""Why an event was given up that was not at its end, as its audit rows say it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An event that is to be erased, as it is now."""

    id: str
    client: str
    workflow: str
    state: State
    key: str
    erased_at: int | None  # it was before
    calling: bool  # a call of it is out at this moment


def find_events(tx: Connection, ids: Sequence[str], *, lock: bool = False) -> list[Found]:
    """These events as they are; with `lock` nobody moves them until the transaction ends."""
    table = events.c
    calling = exists().where(
        deliveries.c.event_id == table.id,
        deliveries.c.state == DeliveryState.SENDING,
        deliveries.c.run_until > now_ms(),
    )
    columns = (table.id, table.client, table.workflow, table.state, table.idempotency_key)
    found = (
        select(*columns, table.erased_at, calling.label("calling"))
        .where(table.id.in_(ids))
        .order_by(table.id)
    )
    rows = tx.execute(found.with_for_update(of=events) if lock else found)
    return [
        Found(
            id=row.id,
            client=row.client,
            workflow=row.workflow,
            state=State(row.state),
            key=row.idempotency_key,
            erased_at=row.erased_at,
            calling=bool(row.calling),
        )
        for row in rows
    ]


def payloads_of_client(
    tx: Connection, client: str, *, after: str, most: int
) -> list[tuple[str, list[object]]]:
    """Ids above `after` of a client's events, each with its payloads as they came and amended."""
    rows = tx.execute(
        select(payloads)
        .join(events, events.c.id == payloads.c.event_id)
        .where(events.c.client == client, payloads.c.event_id > after)
        .order_by(payloads.c.event_id)
        .limit(most)
    )
    return [
        (row.event_id, [orjson.loads(one) for one in (row.body, row.amended) if one is not None])
        for row in rows
    ]


def telling_values(tx: Connection, ids: Sequence[str]) -> set[str]:
    """What these events carry that may tell of somebody, to be looked for in other texts."""
    found: set[str] = set()
    bodies = select(payloads.c.body, payloads.c.amended).where(payloads.c.event_id.in_(ids))
    sent = select(deliveries.c.send).where(deliveries.c.event_id.in_(ids))
    for row in [*tx.execute(bodies), *tx.execute(sent)]:
        for one in row:
            found |= telling_of(orjson.loads(one)) if one else set()
    keys = select(events.c.idempotency_key).where(events.c.id.in_(ids))
    return found | {one for key in tx.execute(keys).scalars() for one in telling_of(key)}


def give_up(tx: Connection, ids: Sequence[str], *, source: State, actor: str) -> list[str]:
    """End events that are not at their end, whatever they wait for; those that were at `source`."""
    moved: Sequence[str] = ids
    if source is not State.QUARANTINED:
        moved = move_events(
            tx,
            ids,
            move=Move.QUARANTINE,
            source=source,
            actor=actor,
            change=_NO_MORE,
            reason=ERASED,
        )
    gone = move_events(
        tx, moved, move=Move.DISCARD, source=State.QUARANTINED, actor=actor, reason=ERASED
    )
    if source is State.AWAITING_APPROVAL:
        _WITHDRAW.run(tx, ids=gone, by=actor[:255])
    end_stays_of_returned(tx, gone)
    _END_STAYS.run(tx, ids=gone)
    _END_DELIVERIES.run(tx, ids=gone)
    lines.end(tx, gone)
    return gone


_WITHDRAW = Prepared(
    lambda dialect: (
        update(event_approvals)
        .where(among(dialect, event_approvals.c.event_id), IS_WAITING)
        .values(state=RequestState.WITHDRAWN.value, decided_at=now_ms(), decided_by=bindparam("by"))
    )
)

_NO_MORE = ColumnChange(values={"due_at": None, "epoch": 0})

_END_STAYS = Prepared(
    lambda dialect: (
        update(quarantine)
        .where(among(dialect, quarantine.c.event_id), quarantine.c.released_at.is_(None))
        .values(released_at=now_ms(), outcome=StayOutcome.DISCARDED.value, ended_at=now_ms())
    )
)


def _end_deliveries(dialect: str) -> Any:
    table = deliveries.c
    open_ = (
        DeliveryState.WAITING, DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.SENDING
    )  # fmt: skip
    return (
        update(deliveries)
        .where(among(dialect, table.event_id), or_(*(table.state == one.value for one in open_)))
        .values(
            state=DeliveryState.FAILED,
            reason=ERASED,
            held_by=None,
            due_at=None,
            run_id=None,
            run_until=None,
            updated_at=now_ms(),
        )
    )


_END_DELIVERIES = Prepared(_end_deliveries)


def erase_contents(tx: Connection, found: Sequence[Found], *, actor: str) -> None:
    """Empty what these events carried, wherever it belongs to them, and mark them as erased."""
    ids = [one.id for one in found]
    _erase_record_ids(tx, ids)
    stays = select(quarantine.c.id).where(quarantine.c.event_id.in_(ids))
    forget_words(tx, list(tx.execute(stays).scalars()))
    forget_contents(tx, ids, gone_by=ERASE)
    lines.forget(tx, ids)
    # It is a digest of the payload, too: whoever guesses right would see it.
    tx.execute(update(plan_events).where(plan_events.c.event_id.in_(ids)).values(ground=""))
    _mark(tx, found, actor)
    record_moves(tx, ids, actor=actor, action="erase", source=None, target=None)


def _mark(tx: Connection, found: Sequence[Found], actor: str) -> None:
    """An event without its key and without the digest of its payload; the key's digest stays."""
    secret = key_of_store(tx)
    note_in_use(tx)
    tx.execute(
        update(events)
        .where(events.c.id == bindparam("_id"))
        .values(
            idempotency_key=bindparam("_key"), digest="", erased_at=now_ms(), erased_by=actor[:255]
        ),
        [{"_id": one.id, "_key": _kept_key(secret, one)} for one in found],
    )


def _kept_key(secret: bytes, one: Found) -> str:
    if one.key == one.id:  # nobody gave one
        return one.key
    return erased_key(secret, one.client, one.workflow, one.key)


def _erase_record_ids(tx: Connection, ids: Sequence[str]) -> None:
    """Empty ids and addresses of records that repeat what was sent; the others are the tool's."""
    table = deliveries.c
    columns = (table.event_id, table.name, table.record_id, table.record_url, table.send)
    made = select(*columns).where(table.event_id.in_(ids), table.record_id.is_not(None))
    for row in tx.execute(made).all():
        sent: Mapping[str, object] = dict(enumerate(leaves_of(orjson.loads(row.send))))  # type: ignore[arg-type]
        names = ("record_id", "record_url")
        gone = [name for name in names if repeats(getattr(row, name) or "", sent)]
        if gone:
            one = and_(table.event_id == row.event_id, table.name == row.name)
            tx.execute(update(deliveries).where(one).values(dict.fromkeys(gone)))


def scrub(store: Store, *, seconds: float) -> bool:
    """Take what was erased out of the files too; False where other processes kept it from that.

    SQLite: the index of words is written anew, and the log beside the file is emptied. PostgreSQL
    gives pages back by its own VACUUM.
    """
    if not store.is_sqlite:
        return True
    with store.write() as tx:
        optimize_words(tx)
    return store.empty_log(seconds=seconds)
