"""Lines: the events of one workflow with one ordering key, in the order of their acceptance.

An event of a line has a state there. At most one has the turn; the others wait, and sleep: they
are unfinished, and no relay finds them due. What changes one asks for a look at the line, in
the same transaction; a relay looks, and gives the turn (`turns.py`). So nobody who accepts or
delivers waits for another of the same key, and there is one hand that gives turns.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, case, delete, func, insert, or_, select, true, update

from orchestrator.domain.lifecycle import State
from orchestrator.domain.workflows.ordering.keys import Ordering, key_in, rank_in
from orchestrator.store.database.engine import ring_after_commit
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import deliveries, events, line_looks, ordered_events

ASLEEP = 2**61
"""When an event is due that waits for its turn: unfinished, and never due by itself."""


class Stand(StrEnum):
    """The states of an event in its line."""

    WAITING = "waiting"  # for its turn
    TURN = "turn"  # it may go; or it is in quarantine, and holds those behind it
    ASIDE = "aside"  # it is in quarantine, and lets those behind it pass
    ENDED = "ended"  # delivered or discarded


@dataclass(frozen=True, kw_only=True, slots=True)
class Comer:
    """An event that takes its place at the end of a line."""

    event_id: str
    line: str
    passes: bool  # whether it lets others pass while it is in quarantine
    rank: str | None  # as `rank_in` writes it


def comer(
    secret: bytes, event_id: str, body: str, ordering: Ordering, *, client: str, workflow: str
) -> Comer | None:
    """The event's place by its payload, JSON text; None where that has no ordering key."""
    payload = orjson.loads(body)
    key = key_in(payload, ordering.key)
    if key is None:
        return None
    return Comer(
        event_id=event_id,
        line=_line(secret, client, workflow, key),
        passes=ordering.passes,
        rank=rank_in(payload, ordering.latest) if ordering.latest else None,
    )


def _line(secret: bytes, client: str, workflow: str, key: str) -> str:
    """What a line is called: a keyed digest, for an ordering key is somebody's address most often.

    The path is not in it: a version that finds the same value elsewhere goes on with the same line.
    """
    text = f"line\0{client}\0{workflow}\0{key}".encode()
    return hmac.digest(secret, text, "sha256").hex()[:32]


def enter(tx: Connection, comers: Sequence[Comer]) -> None:
    """Let events take their places, in this order; they sleep until a relay gives them the turn."""
    if not comers:
        return
    tx.execute(
        insert(ordered_events),
        [
            {
                "event_id": one.event_id,
                "line": one.line,
                "stand": Stand.WAITING.value,
                "passes": one.passes,
                "rank": one.rank,
            }
            for one in comers
        ],
    )
    _SLEEP.run(tx, ids=[one.event_id for one in comers], asleep=ASLEEP)
    _ask_for_looks(tx, (one.line for one in comers))


def end(tx: Connection, ids: Sequence[str]) -> None:
    """These events are at their end, or are not ordered any more: the next of their lines go."""
    _look_after(tx, _END.run(tx, ids=list(ids)).scalars())


def step_aside(tx: Connection, ids: Sequence[str]) -> None:
    """These events are in quarantine: those that let others pass give up their turns."""
    _look_after(tx, _STEP_ASIDE.run(tx, ids=list(ids)).scalars())


def come_back(tx: Connection, ids: Sequence[str]) -> None:
    """These events were discarded and are in quarantine again, at their old places."""
    _look_after(tx, _COME_BACK.run(tx, ids=list(ids)).scalars())


def line_up_again(
    tx: Connection, ids: Sequence[str], *, passes: bool, ranks: Mapping[str, str | None]
) -> set[str]:
    """These events are replayed: those that have a place keep it, and go when they have the turn.

    `ranks` are by what is sent now, for a fix may have changed it. Answers those with a place.
    """
    rows = _LINE_UP.run(tx, ids=list(ids), passes=passes).all()
    found = {row[0] for row in rows}
    if found:
        _SLEEP.run(tx, ids=sorted(found), asleep=ASLEEP)
        changed = [{"_event": one, "_rank": ranks[one]} for one in sorted(found & ranks.keys())]
        if changed:
            tx.execute(_SET_RANK, changed)
        _look_after(tx, [row[1] for row in rows])
    return found


def forget(tx: Connection, ids: Sequence[str]) -> None:
    """Take events that are at their end out of their lines: what they carried is erased."""
    tx.execute(delete(ordered_events).where(ordered_events.c.event_id.in_(ids)))


def followed_events(tx: Connection, ids: Sequence[str]) -> set[str]:
    """Those of these events behind which a later one of their line had its turn, or was ended.

    One that made something, was let pass and is replayed waits for its turn again, and counts.
    """
    mine, table = ordered_events.alias("mine").c, ordered_events.c
    made = select(deliveries.c.name).where(
        deliveries.c.event_id == table.event_id, deliveries.c.record_id.is_not(None)
    )
    own = select(mine.line, mine.place, mine.event_id).where(mine.event_id.in_(ids)).subquery("own")
    last = (
        select(table.line, func.max(table.place).label("place"))
        .where(
            or_(table.stand != Stand.WAITING.value, made.exists()),
            table.line.in_(select(own.c.line)),
            # One walk through what came since the first of them: no index has lines alone.
            table.place > select(func.min(own.c.place)).scalar_subquery(),
        )
        .group_by(table.line)
        .subquery("last")
    )
    found = select(own.c.event_id).join(last, last.c.line == own.c.line)
    return set(tx.execute(found.where(own.c.place < last.c.place)).scalars())


def _look_after(tx: Connection, lines: Iterable[str]) -> None:
    asked = list(lines)
    if asked:
        _ask_for_looks(tx, asked)
        ring_after_commit(tx)


def _ask_for_looks(tx: Connection, lines: Iterable[str]) -> None:
    tx.execute(insert(line_looks), [{"line": line} for line in sorted(set(lines))])


def _stood(dialect: str) -> Any:
    return among(dialect, ordered_events.c.event_id)


def _end(dialect: str) -> Any:
    table = ordered_events.c
    return (
        update(ordered_events)
        .where(_stood(dialect), table.stand != Stand.ENDED.value)
        .values(stand=Stand.ENDED.value)
        .returning(table.line)
    )


def _step_aside(dialect: str) -> Any:
    table = ordered_events.c
    return (
        update(ordered_events)
        .where(_stood(dialect), table.stand == Stand.TURN.value, table.passes == true())
        .values(stand=Stand.ASIDE.value)
        .returning(table.line)
    )


def _come_back(dialect: str) -> Any:
    table = ordered_events.c
    return (
        update(ordered_events)
        .where(_stood(dialect), table.stand == Stand.ENDED.value)
        .values(stand=case((table.passes, Stand.ASIDE.value), else_=Stand.WAITING.value))
        .returning(table.line)
    )


def _line_up(dialect: str) -> Any:
    table = ordered_events.c
    outside = or_(table.stand == Stand.ASIDE.value, table.stand == Stand.ENDED.value)
    return (
        update(ordered_events)
        .where(_stood(dialect))
        .values(
            stand=case((outside, Stand.WAITING.value), else_=table.stand),
            passes=bindparam("passes"),
        )
        .returning(table.event_id, table.line)
    )


def _sleep(dialect: str) -> Any:
    return (
        update(events)
        .where(among(dialect, events.c.id), events.c.state == State.ACCEPTED.value)
        .values(due_at=bindparam("asleep"))
    )


_END, _STEP_ASIDE, _COME_BACK = Prepared(_end), Prepared(_step_aside), Prepared(_come_back)
_LINE_UP, _SLEEP = Prepared(_line_up), Prepared(_sleep)
_SET_RANK = (
    update(ordered_events)
    .where(ordered_events.c.event_id == bindparam("_event"))
    .values(rank=bindparam("_rank"))
)
