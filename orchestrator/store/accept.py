"""Accepting triggers: event, payload and audit row in one commit, before anybody is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils import uuid7

from orchestrator.domain.errors import IdempotencyConflict
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.audit import record_moves
from orchestrator.store.clock import now_ms
from orchestrator.store.engine import AnyRow
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


def accept(tx: Connection, arrivals: Sequence[Arrival]) -> list[Accepted]:
    """Write all arrivals; those whose key is known already answer with that event's id.

    Raises ConflictAt, upon which the transaction must not be committed.
    """
    rows = [_event_row(one) for one in arrivals]
    written = _insert_new(tx, rows)
    if written:
        new = [(row, one) for row, one in zip(rows, arrivals, strict=True) if row["id"] in written]
        tx.execute(
            insert(payloads),
            [{"event_id": row["id"], "body": one.trigger.payload} for row, one in new],
        )
        for actor in dict.fromkeys(one.actor for _, one in new):
            record_moves(
                tx,
                [row["id"] for row, one in new if one.actor == actor],
                actor=actor,
                action=Move.ACCEPT,
                source=None,
                target=State.ACCEPTED,
            )
    known = _known(tx, [row for row in rows if row["id"] not in written])
    return [_answer(index, row, written, known) for index, row in enumerate(rows)]


def _event_row(arrival: Arrival) -> dict[str, Any]:
    event_id = uuid7().hex
    trigger = arrival.trigger
    return {
        "id": event_id,
        "client": trigger.client,
        "workflow": arrival.workflow.name,
        "workflow_id": arrival.workflow.id,
        "idempotency_key": trigger.idempotency_key or event_id,
        "digest": trigger.digest,
    }


def _insert_new(tx: Connection, rows: list[dict[str, Any]]) -> set[str]:
    dialect: Any = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = (
        dialect.insert(events)
        .values(
            state=State.ACCEPTED,
            due_at=now_ms(),
            epoch=0,
            attempt=0,
            starts=0,
            replays=0,
            accepted_at=now_ms(),
            updated_at=now_ms(),
        )
        .on_conflict_do_nothing(
            index_elements=[events.c.client, events.c.workflow, events.c.idempotency_key]
        )
        .returning(events.c.id)
    )
    return set(tx.execute(statement, rows).scalars())


_Key = tuple[str, str, str]


def _key(row: dict[str, Any]) -> _Key:
    return row["client"], row["workflow"], row["idempotency_key"]


def _known(tx: Connection, rows: list[dict[str, Any]]) -> dict[_Key, AnyRow]:
    if not rows:
        return {}
    columns = (events.c.client, events.c.workflow, events.c.idempotency_key)
    found = tx.execute(
        select(*columns, events.c.id, events.c.digest).where(
            tuple_(*columns).in_([_key(row) for row in rows])
        )
    )
    return {(row[0], row[1], row[2]): row for row in found}


def _answer(
    index: int, row: dict[str, Any], written: set[str], known: dict[_Key, AnyRow]
) -> Accepted:
    if row["id"] in written:
        return Accepted(id=row["id"], duplicate=False)
    earlier = known[_key(row)]
    if earlier.digest != row["digest"]:
        raise ConflictAt(index, row["idempotency_key"], earlier.id)
    return Accepted(id=earlier.id, duplicate=True)
