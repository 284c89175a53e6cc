"""Accepting triggers: event, payload and audit row in one commit, before anybody is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, insert, literal, select, true
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils import uuid7

from orchestrator.domain.errors import IdempotencyConflict
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.audit import record_moves
from orchestrator.store.clock import now_ms
from orchestrator.store.engine import AnyRow
from orchestrator.store.prepared import Prepared, row_values, rows_of
from orchestrator.store.schema import events, payloads
from orchestrator.store.workflows import LiveWorkflow


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A trigger, the live workflow that takes it, and who sent it."""

    trigger: Trigger
    workflow: LiveWorkflow
    actor: str


class ConflictAt(IdempotencyConflict):
    """Raised when the arrival at `index` repeats a key with another payload."""

    def __init__(self, index: int, key: str, event_id: str) -> None:
        super().__init__(
            f"the key {key!r} was used for another payload, by event {event_id}",
            field="idempotency_key",
            fix="send a new key for new content, and the same key only for the same content",
        )
        self.index = index


class _NewEvent(NamedTuple):
    id: str
    client: str
    workflow: str
    workflow_id: int
    idempotency_key: str
    digest: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a trigger the same again."""
        return self.client, self.workflow, self.idempotency_key


_COLUMNS = {name: int if name == "workflow_id" else str for name in _NewEvent._fields}


def accept(tx: Connection, arrivals: Sequence[Arrival]) -> list[Accepted]:
    """Write all arrivals; those whose key is known already answer with that event's id.

    Raises ConflictAt, upon which the transaction must not be committed.
    """
    rows = [_new_event(one) for one in arrivals]
    # In one order everywhere: two doors that write the same keys must not wait for each other.
    in_order = sorted(rows, key=lambda row: row.key)
    given = row_values(tx, _NewEvent._fields, in_order)
    written = set(_INSERT.run(tx, **given).scalars())
    _write_beside(tx, [pair for pair in zip(rows, arrivals, strict=True) if pair[0].id in written])
    if len(written) == len(rows):
        return [Accepted(id=row.id, duplicate=False) for row in rows]
    known = {(one[0], one[1], one[2]): one for one in _KNOWN.run(tx, **given)}
    return [_answer(index, row, written, known) for index, row in enumerate(rows)]


def _new_event(arrival: Arrival) -> _NewEvent:
    event_id = uuid7().hex
    return _NewEvent(
        id=event_id,
        client=arrival.trigger.client,
        workflow=arrival.workflow.name,
        workflow_id=arrival.workflow.id,
        idempotency_key=arrival.trigger.idempotency_key or event_id,
        digest=arrival.trigger.digest,
    )


def _write_beside(tx: Connection, new: Sequence[tuple[_NewEvent, Arrival]]) -> None:
    """Payloads and audit rows of the events that are new."""
    if new:
        bodies = [{"event_id": row.id, "body": one.trigger.payload} for row, one in new]
        tx.execute(_INSERT_PAYLOADS, bodies)
    for actor in dict.fromkeys(one.actor for _, one in new):
        record_moves(
            tx,
            [row.id for row, one in new if one.actor == actor],
            actor=actor,
            action=Move.ACCEPT,
            source=None,
            target=State.ACCEPTED,
        )


def _answer(
    index: int,
    row: _NewEvent,
    written: set[str],
    known: Mapping[tuple[str, str, str], AnyRow],
) -> Accepted:
    if row.id in written:
        return Accepted(id=row.id, duplicate=False)
    earlier = known[row.key]
    if earlier.digest != row.digest:
        raise ConflictAt(index, row.idempotency_key, earlier.id)
    return Accepted(id=earlier.id, duplicate=True)


_INSERT_PAYLOADS = insert(payloads)


def _insert(dialect: str) -> Any:
    given = rows_of(dialect, **_COLUMNS)
    fixed = {
        "state": literal(State.ACCEPTED.value),
        "due_at": now_ms(),
        "epoch": literal(0),
        "attempt": literal(0),
        "starts": literal(0),
        "replays": literal(0),
        "accepted_at": now_ms(),
        "updated_at": now_ms(),
    }
    upsert: Any = (sqlite if dialect == "sqlite" else postgresql).insert(events)
    # SQLite needs the WHERE to tell an upsert from a join.
    fresh = select(*given.c, *fixed.values()).where(true())
    return (
        upsert.from_select([*_NewEvent._fields, *fixed], fresh)
        .on_conflict_do_nothing(
            index_elements=[events.c.client, events.c.workflow, events.c.idempotency_key]
        )
        .returning(events.c.id)
    )


def _select_known(dialect: str) -> Any:
    given, table = rows_of(dialect, **_COLUMNS), events.c
    return select(
        table.client, table.workflow, table.idempotency_key, table.id, table.digest
    ).join_from(
        given,
        events,
        and_(
            table.client == given.c.client,
            table.workflow == given.c.workflow,
            table.idempotency_key == given.c.idempotency_key,
        ),
    )


_INSERT, _KNOWN = Prepared(_insert), Prepared(_select_known)
