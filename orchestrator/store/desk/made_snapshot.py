"""What a plan after a rollback counts on: what was made of events that are delivered or stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, and_, case, func, not_, or_, select

from orchestrator.domain.delivery.effects import MadeDelivery
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState, State
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.schema import deliveries, events, payloads, quarantine
from orchestrator.store.drive.deliveries import MAY_BE_THERE, MISMATCHED, item_of
from orchestrator.store.ordering.lines import followed_events

Place = tuple[str, Item]
"""What tells a delivery from the others of its event: destination and item."""


@dataclass(frozen=True, kw_only=True)
class MadeGround:
    """The state of one event, as far as a plan counts on it."""

    event_id: str
    client: str
    workflow: str
    stopped: bool  # it is in quarantine; else it is delivered
    payload: object  # amended where it was amended
    deliveries: Mapping[Place, MadeDelivery]  # that were made
    followed: bool  # a later event of its ordering key had its turn, and may rest on it
    digest: str  # of all of it that a run has to find as it was; a line goes on meanwhile


def made_under(
    tx: Connection, workflow_id: int, state: State, *, after: str, limit: int
) -> list[str]:
    """Ids of the events of a version in a state, in the order of their acceptance."""
    mine = (events.c.workflow_id == workflow_id, events.c.state == state.value)
    found = select(events.c.id).where(*mine, events.c.id > after).order_by(events.c.id).limit(limit)
    return list(tx.execute(found).scalars())


def states_of(tx: Connection, workflow_id: int) -> dict[str, int]:
    """How many events of a version are in which state."""
    found = select(events.c.state, func.count().label("many"))
    rows = tx.execute(found.where(events.c.workflow_id == workflow_id).group_by(events.c.state))
    return {row.state: row.many for row in rows}


def made_grounds(
    tx: Connection, ids: Sequence[str], *, lock: bool = False
) -> dict[str, MadeGround]:
    """The state of these events where they are delivered or in quarantine and have their payload.

    Events in quarantine are left out where nobody knows what became of a call: a replay looks for
    its record first. With `lock` nobody moves them until the transaction ends.
    """
    here = and_(quarantine.c.event_id == events.c.id, quarantine.c.released_at.is_(None))
    statement = (
        select(
            events.c.id,
            events.c.client,
            events.c.workflow,
            events.c.workflow_id,
            events.c.state,
            events.c.replays,
            quarantine.c.id.label("stay"),
            payloads.c.body,
            payloads.c.amended,
        )
        .join(payloads, payloads.c.event_id == events.c.id)
        .outerjoin(quarantine, here)
        .where(
            events.c.id.in_(ids),
            events.c.state.in_([State.DELIVERED.value, State.QUARANTINED.value]),
            events.c.erased_at.is_(None),
        )
    )
    if lock:
        hold_events(tx, ids)
    rows = tx.execute(statement).all()
    found, followed = _of_events(tx, ids), followed_events(tx, ids)
    grounds = (
        _ground(row, found.get(row.id, _OfEvent()), followed=row.id in followed) for row in rows
    )
    return {one.event_id: one for one in grounds if one is not None}


@dataclass(kw_only=True)
class _OfEvent:
    """What is there of the deliveries of one event."""

    made: dict[Place, MadeDelivery] = field(default_factory=dict)
    others: list[tuple[str, str]] = field(default_factory=list)  # not made: name and state
    unclear: bool = False  # a call of one may have made a record that nobody has seen


def _of_events(tx: Connection, ids: Sequence[str]) -> dict[str, _OfEvent]:
    table = deliveries.c
    done = table.state.in_([one.value for one in DONE_DELIVERIES])
    undone = table.state == DeliveryState.UNDONE.value
    # What was taken back keeps the name of its record, which is gone.
    unclear = and_(not_(undone), or_(table.record_id.is_not(None), MAY_BE_THERE))
    kind = case((done, _MADE), (MISMATCHED, _MADE), (unclear, _UNCLEAR), else_=_CLEAR)
    wanted = select(deliveries, kind.label("kind")).where(table.event_id.in_(ids))
    found: dict[str, _OfEvent] = {}
    for row in tx.execute(wanted.order_by(table.event_id, table.name)):
        of_event = found.setdefault(row.event_id, _OfEvent())
        if row.kind == _MADE:
            of_event.made[row.destination, item_of(row.item)] = _made(row)
        else:
            of_event.others.append((row.name, row.state))
            of_event.unclear |= row.kind == _UNCLEAR
    return found


_MADE, _UNCLEAR, _CLEAR = "made", "unclear", "clear"


def _made(row: Any) -> MadeDelivery:
    return MadeDelivery(
        name=row.name,
        connector=row.connector,
        action=row.action,
        state=DeliveryState(row.state),
        record_id=row.record_id,
        updated=bool(row.record_updated),
        send=orjson.loads(row.send),
    )


def _ground(row: Any, found: _OfEvent, *, followed: bool) -> MadeGround | None:
    stopped = row.state == State.QUARANTINED
    if stopped and found.unclear:
        return None
    # What was made never changes while its event is at its end, or in quarantine.
    made = [asdict(one) for one in found.made.values()]
    state: list[object] = [row.workflow_id, row.replays, row.amended, made]
    if stopped:
        state += [row.stay, found.others]
    return MadeGround(
        event_id=row.id,
        client=row.client,
        workflow=row.workflow,
        stopped=stopped,
        payload=orjson.loads(row.amended if row.amended is not None else row.body),
        deliveries=found.made,
        followed=followed,
        digest=hashlib.blake2b(orjson.dumps(state), digest_size=16).hexdigest(),
    )
