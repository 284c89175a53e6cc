"""What events that ask for an approval would send, as their deliveries say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, select

from orchestrator.domain.approvals.subject import EventSubject, ToSend
from orchestrator.domain.lifecycle import SETTLED_DELIVERIES, DeliveryState
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import item_of

_NEVER_SENT = SETTLED_DELIVERIES | {DeliveryState.UNDONE, DeliveryState.FAILED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """The deliveries of one event's route."""

    deliveries: tuple[ToSend, ...]  # by name
    to_come: bool  # whether one of them may still be sent
    calling: bool  # whether a call of one is out at this moment

    def connectors(self) -> set[str]:
        """The connectors that they go by."""
        return {one.connector for one in self.deliveries}


def load_contents(
    tx: Connection, routes: Mapping[str, int], workflow: CompiledWorkflow
) -> dict[str, Contents]:
    """What these events would send, each by its route (from 1). The caller holds them."""
    rows: dict[str, list[AnyRow]] = {event_id: [] for event_id in routes}
    for row in _LOAD.run(tx, ids=list(routes)).all():
        rows[row.event_id].append(row)
    return {
        event_id: _contents(of_event, workflow, routes[event_id])
        for event_id, of_event in rows.items()
    }


def _contents(rows: Sequence[AnyRow], workflow: CompiledWorkflow, route: int) -> Contents:
    # What an earlier route made is there beside them; nothing of it is sent again.
    known = {one.name: one for one in workflow.routes[route - 1]}
    own = [row for row in rows if row.destination in known]
    return Contents(
        deliveries=tuple(
            ToSend(
                name=row.name,
                destination=row.destination,
                item=item_of(row.item),
                connector=row.connector,
                action=row.action,
                send=orjson.loads(row.send),
                confirm=tuple(orjson.loads(row.confirm)),
                after=known[row.destination].after,
                pending=tuple(one.name for one in known[row.destination].fields if one.awaits),
                state=row.state,
            )
            for row in own
        ),
        to_come=any(row.state not in _NEVER_SENT and not row.undo for row in own),
        calling=any(bool(row.calling) for row in own),
    )


def _select(dialect: str) -> Any:
    table = deliveries.c
    columns = (
        table.event_id, table.name, table.destination, table.item, table.connector, table.action,
        table.send, table.confirm, table.state, table.undo,
    )  # fmt: skip
    calling = and_(table.state == DeliveryState.SENDING.value, table.run_until > now_ms())
    return (
        select(*columns, calling.label("calling"))
        .where(among(dialect, table.event_id))
        .order_by(table.event_id, table.name)
    )


_LOAD = Prepared(_select)


def subject_of(
    event_id: str,
    contents: Contents,
    connectors: Mapping[str, str | None],
    *,
    workflow: CompiledWorkflow,
    version: int,
    route: int,
    salt: str,
) -> EventSubject:
    """What an approval of the event is of; `connectors` are digests by the names that it uses."""
    return EventSubject(
        salt=salt,
        client=workflow.workflow.client,
        workflow=workflow.workflow.name,
        version=version,
        event=event_id,
        route=route,
        deliveries=contents.deliveries,
        connectors=connectors,
    )
