"""What events of workflows with personal fields carry: what decides how much of them is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.contracts.keywords import PERSONAL
from orchestrator.domain.event import Item
from orchestrator.store.database.schema import deliveries, events, payloads, workflow_versions
from orchestrator.store.drive.deliveries import item_of

_CHUNK = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedFields:
    """What one delivery sends."""

    destination: str
    item: Item
    fields: dict[str, object]  # by the tool's field


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """One event of a workflow with personal fields, and all values of its sender's."""

    id: str
    client: str
    workflow: str  # its name
    workflow_id: int  # of the version that it runs under
    payloads: tuple[object, ...]  # as it came, and as it was amended; none once it was erased
    sent: tuple[CarriedFields, ...]


def marked_workflows(tx: Connection) -> frozenset[tuple[str, str]]:
    """Client and name of each workflow that has a personal field in any of its versions."""
    table = workflow_versions.c
    marks = func.replace(table.definition, f'"{PERSONAL}":false', "")  # said to be none
    rows = tx.execute(
        select(table.client, table.name).where(marks.contains(f'"{PERSONAL}"')).distinct()
    )
    return frozenset((row.client, row.name) for row in rows)


def carried_by(
    tx: Connection, ids: Iterable[str], marked: Collection[tuple[str, str]]
) -> dict[str, Carried]:
    """What these events carry, those of other workflows than the `marked` left out."""
    found: dict[str, Carried] = {}
    every = list(dict.fromkeys(ids))
    for at in range(0, len(every), _CHUNK):
        found |= _carried(tx, every[at : at + _CHUNK], marked)
    return found


def _carried(
    tx: Connection, ids: Sequence[str], marked: Collection[tuple[str, str]]
) -> dict[str, Carried]:
    table = events.c
    columns = (table.id, table.client, table.workflow, table.workflow_id)
    heads = tx.execute(select(*columns).where(table.id.in_(ids))).all()
    asked = {one.id: one for one in heads if (one.client, one.workflow) in marked}
    if not asked:
        return {}
    bodies = _bodies(tx, list(asked))
    sent: dict[str, list[CarriedFields]] = {}
    named = deliveries.c
    which = (named.event_id, named.destination, named.item, named.send)
    for row in tx.execute(select(*which).where(named.event_id.in_(asked))):
        fields = orjson.loads(row.send)
        one = CarriedFields(destination=row.destination, item=item_of(row.item), fields=fields)
        sent.setdefault(row.event_id, []).append(one)
    return {
        one.id: Carried(
            id=one.id,
            client=one.client,
            workflow=one.workflow,
            workflow_id=one.workflow_id,
            payloads=bodies.get(one.id, ()),
            sent=tuple(sent.get(one.id, ())),
        )
        for one in asked.values()
    }


def _bodies(tx: Connection, ids: Sequence[str]) -> dict[str, tuple[object, ...]]:
    table = payloads.c
    rows = tx.execute(
        select(table.event_id, table.body, table.amended).where(table.event_id.in_(ids))
    )
    return {
        row.event_id: tuple(orjson.loads(one) for one in (row.body, row.amended) if one)
        for row in rows
    }
