"""What a plan after a rollback counts on: delivered events, and what was made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.delivery.effects import MadeDelivery
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState, State
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.schema import deliveries, events, payloads
from orchestrator.store.drive.deliveries import item_of

Place = tuple[str, Item]
"""What tells a delivery from the others of its event: destination and item."""


@dataclass(frozen=True, kw_only=True)
class MadeGround:
    """The state of one delivered event, as far as a plan counts on it."""

    event_id: str
    client: str
    workflow: str
    payload: object  # amended where it was amended
    deliveries: Mapping[Place, MadeDelivery]  # that were made
    digest: str


def delivered_by(tx: Connection, workflow_id: int, *, after: str, limit: int) -> list[str]:
    """Ids of delivered events of a version, in the order of their acceptance."""
    mine = (events.c.workflow_id == workflow_id, events.c.state == State.DELIVERED.value)
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
    """The state of these events where they are delivered and have their payload.

    With `lock` nobody moves them until the transaction ends.
    """
    statement = (
        select(
            events.c.id,
            events.c.client,
            events.c.workflow,
            events.c.workflow_id,
            events.c.replays,
            payloads.c.body,
            payloads.c.amended,
        )
        .join(payloads, payloads.c.event_id == events.c.id)
        .where(
            events.c.id.in_(ids),
            events.c.state == State.DELIVERED.value,
            events.c.erased_at.is_(None),
        )
    )
    if lock:
        hold_events(tx, ids)
    rows = tx.execute(statement).all()
    made = _made(tx, ids)
    return {row.id: _ground(row, made.get(row.id, {})) for row in rows}


def _made(tx: Connection, ids: Sequence[str]) -> dict[str, dict[Place, MadeDelivery]]:
    table = deliveries.c
    done = table.state.in_([one.value for one in DONE_DELIVERIES])
    found: dict[str, dict[Place, MadeDelivery]] = {}
    wanted = select(deliveries).where(table.event_id.in_(ids), done)
    for row in tx.execute(wanted.order_by(table.event_id, table.name)):
        made = MadeDelivery(
            name=row.name,
            connector=row.connector,
            action=row.action,
            state=DeliveryState(row.state),
            record_id=row.record_id,
            updated=bool(row.record_updated),
            send=orjson.loads(row.send),
        )
        found.setdefault(row.event_id, {})[row.destination, item_of(row.item)] = made
    return found


def _ground(row: Any, made: Mapping[Place, MadeDelivery]) -> MadeGround:
    # What was made never changes while its event is at its end.
    state = [row.workflow_id, row.replays, row.amended, [asdict(one) for one in made.values()]]
    return MadeGround(
        event_id=row.id,
        client=row.client,
        workflow=row.workflow,
        payload=orjson.loads(row.amended if row.amended is not None else row.body),
        deliveries=made,
        digest=hashlib.blake2b(orjson.dumps(state), digest_size=16).hexdigest(),
    )
