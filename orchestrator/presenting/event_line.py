"""The life of one event as a line of time: what happened, in order, where it stalled, what is next.

It is made of what an `EventView` holds, after personal values were masked in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from orchestrator.domain.lifecycle import AT_END, STAGE_OF, DeliveryState, Move, State
from orchestrator.presenting.audit_lines import why
from orchestrator.presenting.lines import told_waiting
from orchestrator.presenting.moments import moment, span

if TYPE_CHECKING:
    from orchestrator.store.views.audit import AuditRow
    from orchestrator.store.views.events.show import Delivery, EventView


class Mark(StrEnum):
    """What kind of stop one is; the drawing's signs are named after it."""

    DONE = "done"  # it went on
    PERSON = "person"  # somebody acted
    TRY = "try"  # it failed for now, and is tried again
    WAIT = "wait"  # it was held, or waits
    STALL = "stall"  # it could not go on by itself
    NEXT = "next"  # what comes, or for whom it waits


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """One stop on the line."""

    at: str | None  # ISO 8601 in UTC; None: now, or still to come
    mark: Mark
    title: str  # what happened, such as `routed` or `crm: confirmed`
    by: str | None = None  # an actor
    told: str = ""  # why and how
    later: str | None = None  # how long after the stop before, such as `3m`; None: at once
    here: bool = False  # the event is stalled here


def draw_line(event: EventView) -> tuple[Stop, ...]:
    """All stops of an event, the first one first; those without a time are at the end."""
    happened = [*map(_of_row, event.history), *_made(event.deliveries)]
    timed = sorted(happened, key=_when)
    stalls = [at for at, stop in enumerate(timed) if stop.mark is Mark.STALL]
    if event.quarantine and stalls:
        timed[stalls[-1]] = replace(timed[stalls[-1]], here=True)
    return (*_with_spans(timed), *_open(event.deliveries), *_next(event))


def _when(stop: Stop) -> tuple[str, bool]:
    # An event is delivered by its last receipt, also where both are of one millisecond.
    return stop.at or "", stop.title == _TITLES[Move.DELIVER]


_TITLES = {
    Move.ACCEPT: "accepted",
    Move.VALIDATE: "validated",
    Move.ROUTE: "routed",
    Move.DELIVER: "delivered",
    Move.RETRY: "failed for now",
    Move.AMEND: "amended",
    Move.REPLAY: "replayed",
    Move.DISCARD: "discarded",
    Move.RESTORE: "restored",
    Move.REPIN: "under the version that was live before",
    "hold": "held",
    "release": "released",
}
_MARKS = {
    Move.QUARANTINE: Mark.STALL,
    Move.RETRY: Mark.TRY,
    Move.AMEND: Mark.PERSON,
    Move.REPLAY: Mark.PERSON,
    Move.DISCARD: Mark.PERSON,
    Move.RESTORE: Mark.PERSON,
    Move.REPIN: Mark.PERSON,
    "hold": Mark.WAIT,
}


def _of_row(row: AuditRow) -> Stop:
    title = _TITLES.get(row.action, row.action.replace("_", " "))
    if row.action == Move.QUARANTINE:
        title = f"stalled at {_stage(row.source)}"
    if row.destination:
        title = f"{row.destination}: {title}"
    mark = _MARKS.get(row.action, Mark.DONE)
    return Stop(at=row.at, mark=mark, title=title, by=row.actor, told=why(row))


def _stage(state: str | None) -> str:
    stages = {known.value: stage.value for known, stage in STAGE_OF.items()}
    return stages.get(state or "", "the door")


_ENDED = {
    DeliveryState.CONFIRMED: Mark.DONE,
    DeliveryState.RECEIPTED: Mark.DONE,
    DeliveryState.SUPERSEDED: Mark.DONE,
    DeliveryState.UNDONE: Mark.DONE,
    DeliveryState.FAILED: Mark.TRY,
}


def _made(deliveries: Iterable[Delivery]) -> Iterator[Stop]:
    """Deliveries that are at their end; the audit has no row of its own for each."""
    for one in deliveries:
        mark = _ENDED.get(DeliveryState(one.state))
        if mark is not None:
            title = f"{_name(one)}: {one.state}"
            yield Stop(at=one.updated_at, mark=mark, title=title, told=_told(one))


def _open(deliveries: Sequence[Delivery]) -> Iterator[Stop]:
    for one in deliveries:
        state = DeliveryState(one.state)
        if state not in _ENDED:
            mark = Mark.NEXT if state is DeliveryState.SENDING else Mark.WAIT
            yield Stop(
                at=None,
                mark=mark,
                title=f"{_name(one)}: {_waits(one, deliveries)}",
                told=_told(one),
            )


def _name(one: Delivery) -> str:
    return one.destination if one.item is None else f"{one.destination} (item {one.item})"


def _waits(one: Delivery, deliveries: Sequence[Delivery]) -> str:
    match DeliveryState(one.state):
        case DeliveryState.HELD:
            return f"held at {one.held_by} since {moment(one.updated_at)}"
        case DeliveryState.WAITING:
            return f"waits {told_waiting(one, deliveries)}"
        case DeliveryState.PENDING if one.due_at:
            return f"is sent at {moment(one.due_at)} or later"
        case DeliveryState.SENDING:
            return "is being sent"
    return one.state


def _told(one: Delivery) -> str:
    tries = f"{one.attempt} tries" if one.attempt > 1 else ""
    record = f"record {one.record_id}" if one.record_id else ""
    return "; ".join(part for part in (record, tries, one.reason, one.error) if part)


def _next(event: EventView) -> Iterator[Stop]:
    """What the event waits for as a whole."""
    stay = event.quarantine
    if stay:
        until = f"until {moment(stay.recover_by)}"
        title = f"waits for {stay.recovery_lead}, {until}{', overdue' if stay.overdue else ''}"
        yield Stop(at=None, mark=Mark.NEXT, title=title)
    elif State(event.state) not in AT_END and event.stage:
        due = f", due at {moment(event.due_at)}" if event.due_at else ""
        yield Stop(at=None, mark=Mark.NEXT, title=f"{event.stage} comes next{due}")


def _with_spans(stops: list[Stop]) -> Iterator[Stop]:
    yield from stops[:1]
    for before, stop in pairwise(stops):
        yield replace(stop, later=_later(before.at, stop.at))


def _later(before: str | None, at: str | None) -> str | None:
    if before is None or at is None:
        return None
    seconds = (datetime.fromisoformat(at) - datetime.fromisoformat(before)).total_seconds()
    return span(seconds) if seconds >= 1 else None
