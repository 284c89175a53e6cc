"""Names of deliveries: a destination's own, or that of one item, which keeps it through replays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import Connection, select

from orchestrator.domain.event import Item, PlannedDelivery, destination_of, item_name
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.abandoned import OfEvent
from orchestrator.store.drive.deliveries import item_of

Plan = Mapping[str, PlannedDelivery]
"""What is planned for one event, by name."""


@dataclass(frozen=True, kw_only=True)
class _Before:
    """The names that an event's deliveries had."""

    by_place: dict[tuple[str, Item], str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # also of items that nobody knows any more


def named_deliveries(
    tx: Connection,
    plans: Mapping[str, Sequence[PlannedDelivery]],
    *,
    again: Collection[str],
    abandoned: Mapping[str, OfEvent],
) -> dict[str, Plan]:
    """The planned deliveries of events by name; `again` names those that were planned before.

    `abandoned` is what their plans left out, by event.

    Items are numbered in their order. One that was planned before keeps its number, because tools
    know its record by it; a number is never given to another item.
    """
    ids = [one for one in again if any(planned.item is not None for planned in plans[one])]
    before = _names_before(tx, ids, abandoned) if ids else {}
    return {
        event_id: dict(_named(plan, before.get(event_id, _Before())))
        for event_id, plan in plans.items()
    }


def _named(
    plan: Sequence[PlannedDelivery], before: _Before
) -> Iterator[tuple[str, PlannedDelivery]]:
    numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
    for planned in plan:
        if planned.item is None:
            name = planned.destination
        elif (kept := before.by_place.get(planned.place)) is not None:
            name = kept
        else:
            free = (item_name(planned.destination, one) for one in numbers[planned.destination])
            name = next(one for one in free if one not in before.used)
        yield name, planned


def _names_before(
    tx: Connection, ids: Sequence[str], abandoned: Mapping[str, OfEvent]
) -> dict[str, _Before]:
    found: defaultdict[str, _Before] = defaultdict(_Before)
    for event_id in ids:
        for name, left_out in abandoned.get(event_id, {}).items():
            found[event_id].used.add(name)
            if left_out.item is not None:
                found[event_id].by_place[destination_of(name), left_out.item] = name
    table = deliveries.c
    columns = (table.event_id, table.name, table.destination, table.item)
    for row in tx.execute(select(*columns).where(table.event_id.in_(ids))):
        before = found[row.event_id]
        before.used.add(row.name)
        before.by_place[row.destination, item_of(row.item)] = row.name
    return dict(found)
