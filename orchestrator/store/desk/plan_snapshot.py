"""What a plan counts on: the state of quarantined events when it is made and when it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from orchestrator.domain.delivery.effects import Stands
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.schema import deliveries, events, payloads, quarantine
from orchestrator.store.drive.deliveries import item_of
from orchestrator.store.quarantine.hook_requests import Taker, takers


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The state of one quarantined event, as far as a plan counts on it."""

    event_id: str
    client: str
    workflow: str  # that it belongs to, or that takes it now where none took it when it came
    homeless: Taker | None  # why none takes it now either; None: one does
    payload: object  # amended where it was amended
    deliveries: Mapping[tuple[str, Item], Stands]
    digest: str


def grounds(tx: Connection, ids: Sequence[str], *, lock: bool = False) -> dict[str, Ground]:
    """The state of these events in quarantine; those in other states are left out.

    With `lock` nobody amends or moves them until the transaction ends.
    """
    statement = (
        select(
            events.c.id,
            events.c.client,
            events.c.workflow,
            events.c.replays,
            quarantine.c.id.label("stay"),
            quarantine.c.reason,
            payloads.c.body,
            payloads.c.amended,
        )
        .join(payloads, payloads.c.event_id == events.c.id)
        .join(quarantine, quarantine.c.event_id == events.c.id)
        .where(events.c.id.in_(ids), quarantine.c.released_at.is_(None))
    )
    if lock:
        hold_events(tx, ids)  # first: a statement that waits would read payloads from before it
    rows = tx.execute(statement).all()
    made = _deliveries(tx, ids)
    homeless = [row.id for row in rows if row.reason == Reason.NO_WORKFLOW]
    homes = takers(tx, homeless) if homeless else {}
    return {row.id: _ground(row, made.get(row.id, {}), homes.get(row.id)) for row in rows}


def _deliveries(tx: Connection, ids: Sequence[str]) -> dict[str, dict[tuple[str, Item], Stands]]:
    table = deliveries.c
    found: dict[str, dict[tuple[str, Item], Stands]] = {}
    for row in tx.execute(
        select(
            table.event_id,
            table.destination,
            table.connector,
            table.action,
            table.state,
            table.unknown,
            table.reason,
            table.record_id,
            table.item,
        )
        .where(table.event_id.in_(ids))
        .order_by(table.event_id, table.name)
    ):
        said = dict(row._mapping)
        event_id = said.pop("event_id")
        item = item_of(row.item)
        said.update(state=DeliveryState(row.state), unknown=bool(row.unknown), item=item)
        found.setdefault(event_id, {})[row.destination, item] = Stands(**said)
    return found


def _ground(row: Any, made: Mapping[tuple[str, Item], Stands], home: Taker | None) -> Ground:
    # The payload as it came never changes; a stay ends when the event leaves the quarantine.
    state = [row.stay, row.replays, row.amended, [str(one) for one in made.values()]]
    workflow = row.workflow
    if home is not None and home.live is not None:
        workflow = home.live.name
        state.append(workflow)
    return Ground(
        event_id=row.id,
        client=row.client,
        workflow=workflow,
        homeless=home if home is not None and home.reason else None,
        payload=orjson.loads(row.amended if row.amended is not None else row.body),
        deliveries=made,
        digest=hashlib.blake2b(orjson.dumps(state), digest_size=16).hexdigest(),
    )
