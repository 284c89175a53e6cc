"""Where events are now: how many at which stage of which workflow, and since when the oldest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, literal, select, union_all

from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import events, incidents, quarantine, workflow_versions
from orchestrator.store.views.overview.bounded import MOST_COUNTED, Bounded, bounded
from orchestrator.store.views.values import iso

MOST_VERSIONS = 100

_Place = tuple[str, str, str]
"""Client, workflow and stage."""

_Counted = tuple[int, int | None]
"""How many, and since when the oldest, in milliseconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRow:
    """The events of one workflow at one stage. Times are ISO 8601 in UTC."""

    client: str
    workflow: str
    stage: str  # validate, route or dispatch: what comes next, or where events stalled
    under_way: Bounded  # events that go on by themselves
    oldest: str | None  # when the oldest of these was accepted
    quarantined: Bounded  # events that wait for a person
    oldest_quarantined: str | None  # when the first of these came there


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """Where events are, by workflow, in the order of the stages; places without any are left out.

    Of events under way at most 10,000 per version are counted: those that are due the longest.
    """

    rows: tuple[StageRow, ...]
    more: bool  # events are under way of more versions than are counted


def list_stages(tx: Connection, *, clients: Collection[str] | None = None) -> Stages:
    """Count the events that are not at their end by where they are."""
    busy = _busy_versions(tx, clients)
    moving = _under_way(tx, busy[:MOST_VERSIONS])
    stopped = _quarantined(tx, clients)
    order = [stage.value for stage in dict.fromkeys(STAGE_OF.values())]

    def place(one: _Place) -> tuple[str, str, int]:
        client, workflow, stage = one
        return client, workflow, order.index(stage) if stage in order else len(order)

    none: _Counted = (0, None)
    rows = (
        _row(one, moving.get(one, none), stopped.get(one, none))
        for one in sorted(moving.keys() | stopped.keys(), key=place)
    )
    return Stages(rows=tuple(rows), more=len(busy) > MOST_VERSIONS)


def _row(place: _Place, moving: _Counted, stopped: _Counted) -> StageRow:
    client, workflow, stage = place
    return StageRow(
        client=client,
        workflow=workflow,
        stage=stage,
        under_way=bounded(moving[0]),
        oldest=iso(moving[1]),
        quarantined=bounded(stopped[0]),
        oldest_quarantined=iso(stopped[1]),
    )


def _busy_versions(tx: Connection, clients: Collection[str] | None) -> Sequence[AnyRow]:
    """The versions of which events are under way, the newest first, one more than are counted."""
    table = workflow_versions.c
    under_way = exists().where(events.c.workflow_id == table.id, events.c.due_at.is_not(None))
    named = select(table.id, table.client, table.name).where(under_way)
    if clients is not None:
        named = named.where(table.client.in_(clients))
    return tx.execute(named.order_by(table.id.desc()).limit(MOST_VERSIONS)).all()


def _under_way(tx: Connection, versions: Sequence[AnyRow]) -> dict[_Place, _Counted]:
    if not versions:
        return {}
    counted = tx.execute(union_all(*(_of_version(one.id) for one in versions)))
    named = {one.id: (one.client, one.name) for one in versions}
    return _gathered(((*named[row[0]], STAGE_OF[State(row[1])]), row[2], row[3]) for row in counted)


def _of_version(version: int) -> Any:
    """How many of its events are in each state, and since when; few more are read than counted."""
    table = events.c
    some = (
        select(table.state, table.accepted_at)
        .where(table.workflow_id == version, table.due_at.is_not(None))
        .order_by(table.due_at)
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    columns = (some.c.state, func.count(), func.min(some.c.accepted_at))
    return select(literal(version), *columns).group_by(some.c.state)


def _quarantined(tx: Connection, clients: Collection[str] | None) -> dict[_Place, _Counted]:
    """The same for the quarantine, by way of its incidents: each has one workflow and stage."""
    table, place = quarantine.c, incidents.c
    grouped = (
        select(table.incident_id, func.count().label("many"), func.min(table.id).label("first"))
        .where(table.released_at.is_(None))
        .group_by(table.incident_id)
        .subquery()
    )
    first = quarantine.alias("first_stay").c
    statement = (
        select(place.client, place.workflow, place.stage, grouped.c.many, first.since)
        .join_from(grouped, incidents, place.id == grouped.c.incident_id)
        .join(first.id.table, first.id == grouped.c.first)
    )
    if clients is not None:
        statement = statement.where(place.client.in_(clients))
    return _gathered(((row[0], row[1], row[2]), row[3], row[4]) for row in tx.execute(statement))


def _gathered(counted: Iterable[tuple[_Place, int, int]]) -> dict[_Place, _Counted]:
    """Several counts of one place as one."""
    found: dict[_Place, _Counted] = {}
    for place, many, since in counted:
        before, oldest = found.get(place, (0, None))
        found[place] = (before + many, since if oldest is None else min(oldest, since))
    return found
