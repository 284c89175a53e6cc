"""Replay plans as rows: frozen once, marked event by event, looked at by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from orchestrator.domain.delivery.effects import FOLLOWED, PlannedEffect
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import deliveries, events, plan_events, plans
from orchestrator.store.views.values import iso, iso_time

MADE_BY = "made_by"
"""In the selection of a plan about what a version made that was rolled back: its number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedWorkflow:
    """A workflow whose events are in a plan."""

    client: str
    workflow: str  # its name
    version: int  # that was live
    id: int  # of this version


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPlan:
    """A plan as it is kept. Times are ISO 8601 in UTC."""

    id: int
    token: str  # by which people name it
    state: str  # freezing, ready, running, done, expired
    selection: Mapping[str, object]  # the conditions that were given, by name
    workflows: tuple[PlannedWorkflow, ...]
    effects: Mapping[str, Mapping[str, int]]  # deliveries, by effect and destination
    left_out: Mapping[str, int]  # by reason: refused again, or `followed` when it ran
    events: int
    repeats: int  # deliveries that may arrive twice
    planned_at: str
    planned_by: str
    started_at: str | None  # the first time; None: nobody ran it
    started_by: str | None  # the last time
    finished_at: str | None  # None: some events are still to be replayed
    order_by: str | None  # a fact: events with the same one go one after the other
    change: str | None  # the token of the change under which it was made; None: what was live
    subject: str | None  # the digest that this change had then
    digest: str | None  # over its events and what is done with each; None: of an older plan

    @property
    def made_by(self) -> int | None:
        """The version whose outcomes it is about; None: it is about events in quarantine."""
        found = self.selection.get(MADE_BY)
        return found if isinstance(found, int) else None

    def as_json(self) -> dict[str, object]:
        """The plan as a document; it is named by its token."""
        document = fields_of(self)
        del document["id"]
        return document


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow(StoredPlan):
    """A plan in a list."""

    done: int  # events that were replayed


@dataclass(frozen=True, kw_only=True, slots=True)
class EventOfPlan:
    """One event of a plan, and what came of it."""

    place: int  # from 0, in the order of the plan
    id: str  # of the event
    effects: tuple[PlannedEffect, ...]  # what is done with each of its deliveries
    replayed_at: str | None  # ISO 8601 in UTC; None: not by this plan, or not yet
    outcome: str  # where it is now, in a word or two
    ground: str  # digest of its state when the plan was made


@dataclass(frozen=True, kw_only=True)
class PlannedEvent:
    """One event that a plan is to hold."""

    place: int  # from 0, in the order of the plan
    event_id: str
    ground: str  # digest of its state when the plan was made
    effects: Sequence[PlannedEffect]
    behind: int | None = None  # the place of the event that it waits for


def add_plan(
    tx: Connection,
    token: str,
    selection: Mapping[str, object],
    *,
    actor: str,
    order_by: str | None = None,
    change: tuple[str, str] | None = None,
) -> int:
    """Begin a plan, of a change where its token and digest are given; answers its id.

    It cannot run before it is frozen.
    """
    return int(
        tx.execute(
            insert(plans)
            .values(
                token=token,
                state="freezing",
                selection=orjson.dumps(selection).decode(),
                workflows="[]",
                effects="{}",
                left_out="{}",
                events=0,
                repeats=0,
                planned_at=now_ms(),
                planned_by=actor,
                order_by=order_by,
                change=None if change is None else change[0],
                subject=None if change is None else change[1],
            )
            .returning(plans.c.id)
        ).scalar_one()
    )


def add_plan_events(tx: Connection, plan: int, rows: Sequence[PlannedEvent]) -> None:
    """Write down events of a plan."""
    if rows:
        tx.execute(
            insert(plan_events),
            [
                {
                    "plan_id": plan,
                    "place": one.place,
                    "event_id": one.event_id,
                    "ground": one.ground,
                    "effects": orjson.dumps(one.effects).decode(),
                    "behind": one.behind,
                }
                for one in rows
            ],
        )


def drop_plan(tx: Connection, plan: int) -> None:
    """A plan that was begun came to nothing."""
    tx.execute(delete(plan_events).where(plan_events.c.plan_id == plan))
    tx.execute(delete(plans).where(plans.c.id == plan))


def freeze_plan(
    tx: Connection,
    plan: int,
    *,
    workflows: Sequence[PlannedWorkflow],
    effects: Mapping[str, Mapping[str, int]],
    left_out: Mapping[str, int],
    count: int,
    repeats: int,
    digest: str,
) -> None:
    """The plan is whole: from here on it only runs."""
    tx.execute(
        update(plans)
        .where(plans.c.id == plan)
        .values(
            state="ready",
            workflows=orjson.dumps(workflows).decode(),
            effects=orjson.dumps(effects).decode(),
            left_out=orjson.dumps(left_out).decode(),
            events=count,
            repeats=repeats,
            digest=digest,
        )
    )


def find_plan(tx: Connection, token: str, *, lock: bool = False) -> StoredPlan | None:
    """The plan of a token. With `lock`, runs of it wait for each other."""
    statement = select(plans).where(plans.c.token == token)
    row = tx.execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else StoredPlan(**_fields(row))


def last_plan_of(tx: Connection, change: str) -> StoredPlan | None:
    """The last plan that was made under a change and is whole; None where there is none."""
    found = select(plans).where(plans.c.change == change, plans.c.state != "freezing")
    row = tx.execute(found.order_by(plans.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else StoredPlan(**_fields(row))


def start_plan(tx: Connection, plan: int, *, actor: str) -> int:
    """The plan runs, or runs on. Answers when it was started first, in milliseconds."""
    statement = (
        update(plans)
        .where(plans.c.id == plan)
        .values(
            state="running",
            started_at=func.coalesce(plans.c.started_at, now_ms()),
            started_by=actor,
        )
        .returning(plans.c.started_at)
    )
    return int(tx.execute(statement).scalar_one())


def take_back_start(tx: Connection, plan: int) -> None:
    """A run was refused: where it replayed nothing, nobody has begun the plan."""
    done = select(plan_events.c.plan_id).where(
        plan_events.c.plan_id == plan, plan_events.c.done_at.is_not(None)
    )
    tx.execute(
        update(plans)
        .where(plans.c.id == plan, plans.c.state == "running", ~done.exists())
        .values(state="ready", started_at=None, started_by=None)
    )


def finish_plan(tx: Connection, plan: int) -> None:
    """Every event of the plan was replayed."""
    tx.execute(update(plans).where(plans.c.id == plan).values(state="done", finished_at=now_ms()))


def open_events(
    tx: Connection, plan: int, *, limit: int, after: int = -1
) -> list[tuple[int, str, str, str]]:
    """Place, event id, ground and effects of events that are still to be replayed, in order."""
    table = plan_events.c
    rows = tx.execute(
        select(table.place, table.event_id, table.ground, table.effects)
        .where(table.plan_id == plan, table.done_at.is_(None), table.place > after)
        .order_by(table.place)
        .limit(limit)
    )
    return [(row.place, row.event_id, row.ground, row.effects) for row in rows]


def mark_done(tx: Connection, plan: int, places: Sequence[int]) -> None:
    """These events of the plan were replayed, in this transaction."""
    _mark(tx, plan, places)


def _mark(tx: Connection, plan: int, places: Sequence[int], *, left_out: str | None = None) -> None:
    table = plan_events.c
    tx.execute(
        update(plan_events)
        .where(
            table.plan_id == plan,
            table.place.in_(places),
            table.done_at.is_(None),
        )
        .values(done_at=now_ms(), left_out=left_out)
    )


def leave_out(tx: Connection, plan: int, places: Sequence[int], reason: str) -> None:
    """These events of the plan stay as they are. The caller holds the plan."""
    _mark(tx, plan, places, left_out=reason)
    text = tx.execute(select(plans.c.left_out).where(plans.c.id == plan)).scalar_one()
    left = orjson.loads(text)
    left[reason] = left.get(reason, 0) + len(places)
    changed = update(plans).where(plans.c.id == plan)
    tx.execute(changed.values(left_out=orjson.dumps(left).decode()))


def list_plans(
    tx: Connection,
    *,
    limit: int,
    clients: frozenset[str] | None = None,
    before: int | None = None,
) -> list[PlanRow]:
    """Plans, the newest first, each with how many of its events were replayed.

    Those that are about none but these `clients`; None: about any. With `before` those with a lower
    id.
    """
    table = plan_events.c
    still_open = (  # by the index of those: a plan that is done has none
        select(func.count())
        .where(table.plan_id == plans.c.id, table.done_at.is_(None))
        .scalar_subquery()
    )
    done = case((plans.c.state == "freezing", 0), else_=plans.c.events - still_open)
    every = select(plans, done.label("done")).order_by(plans.c.id.desc())
    if before is not None:
        every = every.where(plans.c.id < before)
    # Whose a plan is stands in its workflows, so that is looked at plan by plan.
    rows = tx.execute(every if clients is not None else every.limit(limit))
    found = (_plan_row(row) for row in rows)
    return list(islice((one for one in found if is_seen(one, clients)), limit))


def _plan_row(row: AnyRow) -> PlanRow:
    fields = _fields(row)
    return PlanRow(**fields, done=row.done - fields["left_out"].get(FOLLOWED, 0))


def is_seen(plan: StoredPlan, clients: frozenset[str] | None) -> bool:
    """Whether a plan is about none but these clients; None: any."""
    return clients is None or {one.client for one in plan.workflows} <= clients


def _fields(row: AnyRow) -> dict[str, Any]:
    """The fields of StoredPlan."""
    return {
        "id": row.id,
        "token": row.token,
        "state": row.state,
        "selection": orjson.loads(row.selection),
        "workflows": tuple(PlannedWorkflow(**one) for one in orjson.loads(row.workflows)),
        "effects": orjson.loads(row.effects),
        "left_out": orjson.loads(row.left_out),
        "events": row.events,
        "repeats": row.repeats,
        "planned_at": iso_time(row.planned_at),
        "planned_by": row.planned_by,
        "started_at": iso(row.started_at),
        "started_by": row.started_by,
        "finished_at": iso(row.finished_at),
        "order_by": row.order_by,
        "change": row.change,
        "subject": row.subject,
        "digest": row.digest,
    }


def outcomes(tx: Connection, plan: int) -> dict[str, int]:
    """How many events of a plan wait for it, and the states of those that were replayed."""
    table = plan_events.c
    # Looked up event by event: for a join PostgreSQL would read all events of a large store.
    state = select(events.c.state).where(events.c.id == table.event_id).scalar_subquery()
    rests = _rests(tx, plan)
    each = (
        select(
            table.done_at.is_(None).label("waits"),
            table.left_out.is_not(None).label("left"),
            state.label("state"),
        )
        .where(table.plan_id == plan)
        .subquery()
    )
    by = (each.c.waits, each.c.left, each.c.state)
    statement = select(each, func.count().label("many")).group_by(*by)
    found: dict[str, int] = {}
    for row in tx.execute(statement):
        word = _outcome(row.state, rests, waits=bool(row.waits), left=bool(row.left))
        found[word] = found.get(word, 0) + row.many
    return found


def count_deliveries(tx: Connection, plan: int) -> dict[str, int]:
    """How many deliveries of the events that a plan replayed are in which state."""
    table = plan_events.c
    statement = (
        select(deliveries.c.state, func.count().label("many"))
        .select_from(plan_events.join(deliveries, deliveries.c.event_id == table.event_id))
        .where(table.plan_id == plan, table.done_at.is_not(None), table.left_out.is_(None))
        .group_by(deliveries.c.state)
    )
    return {row.state: row.many for row in tx.execute(statement)}


def _rests(tx: Connection, plan: int) -> tuple[State, ...]:
    """Where events of a plan are that wait for it."""
    text = tx.execute(select(plans.c.selection).where(plans.c.id == plan)).scalar_one()
    ends = (State.DELIVERED,) if MADE_BY in orjson.loads(text) else ()
    return (State.QUARANTINED, *ends)


def _outcome(state: str | None, rests: Sequence[State], *, waits: bool, left: bool) -> str:
    """The state of an event of a plan; what left otherwise is not the plan's any more."""
    if state is None:
        return "deleted"
    if left:
        return "left as it was made"
    if not waits:
        return state
    return "waiting" if state in rests else f"{state}, not by this plan"


def effects_in(text: str) -> tuple[PlannedEffect, ...]:
    """What is done with each delivery of an event, as a plan keeps it."""
    return tuple(map(_effect, orjson.loads(text)))


def _effect(kept: dict[str, Any]) -> PlannedEffect:
    return PlannedEffect(**{**kept, "after": tuple(kept.get("after", ()))})


def planned_events(
    tx: Connection, plan: int, *, limit: int, after: int = -1, failed: bool = False
) -> list[EventOfPlan]:
    """Events of a plan in its order: what is done with each, and its state now.

    With `failed` only those that came back into quarantine, and those that left it otherwise.
    """
    table = plan_events.c
    there = select(plan_events).where(table.plan_id == plan, table.place > after)
    if not failed:
        # Before the join: PostgreSQL takes a plan for a small one until it has counted it anew,
        # and would join and sort all of it.
        there = there.order_by(table.place).limit(limit)
    some = there.subquery()
    statement = (
        select(some, events.c.state)
        .select_from(some.outerjoin(events, events.c.id == some.c.event_id))
        .order_by(some.c.place)
        .limit(limit)
    )
    rests = _rests(tx, plan)
    if failed:
        came_back = func.coalesce(events.c.state == State.QUARANTINED.value, false())
        rested = func.coalesce(or_(*(events.c.state == one.value for one in rests)), false())
        waits = some.c.done_at.is_(None)
        statement = statement.where(or_(and_(waits, not_(rested)), and_(not_(waits), came_back)))
    rows = tx.execute(statement)
    return [
        EventOfPlan(
            place=row.place,
            id=row.event_id,
            effects=effects_in(row.effects),
            replayed_at=None if row.left_out else iso(row.done_at),
            outcome=_outcome(
                row.state, rests, waits=row.done_at is None, left=row.left_out is not None
            ),
            ground=row.ground,
        )
        for row in rows
    ]
