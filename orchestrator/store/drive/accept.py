"""Accepting triggers: event, payload and audit row in one commit, before anybody is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, FromClause, and_, exists, insert, literal, or_, select, true
from uuid_utils import uuid7

from orchestrator.domain.errors import IdempotencyConflict, MeshlineError
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.audit import record_moves
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import audit, events, payloads
from orchestrator.store.database.upserts import upsert
from orchestrator.store.drive.erased_keys import ANY_ERASED, any_erased, erased_key, key_of_store
from orchestrator.store.quarantine.workflows import LiveWorkflow


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A trigger, the live workflow that takes it, and who sent it."""

    id: str  # of the event that it becomes, where its key is new
    trigger: Trigger
    workflow: LiveWorkflow
    actor: str


@dataclass(frozen=True, kw_only=True)
class KeyConflict:
    """The arrival at `index` repeats a key with another payload."""

    index: int
    key: str
    event_id: str  # of the event that has the key
    earlier: int | None  # the arrival that the event is of, where it came in the same call

    def refusal(self) -> IdempotencyConflict:
        """The conflict as the sender hears of it."""
        return IdempotencyConflict(
            f"the key {self.key!r} was used for another payload, by event {self.event_id}",
            field="idempotency_key",
            fix="send a new key for new content, and the same key only for the same content",
        )


class InConflict(MeshlineError):
    """Raised when arrivals conflict; nothing of the transaction may be committed."""

    def __init__(self, conflicts: Sequence[KeyConflict]) -> None:
        super().__init__(f"{len(conflicts)} in conflict")
        self.conflicts = conflicts


class _New(NamedTuple):
    id: str
    client: str
    workflow: str
    workflow_id: int
    idempotency_key: str
    digest: str
    body: str
    actor: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a trigger the same again."""
        return self.client, self.workflow, self.idempotency_key


_NAMES = _New._fields
_GIVEN = {name: int if name == "workflow_id" else str for name in (*_NAMES, "erased_key")}
_EVENT = _NAMES[:6]


def accept(tx: Connection, arrivals: Sequence[Arrival]) -> list[Accepted]:
    """Write all arrivals; those whose key is known already answer with that event's id.

    Raises InConflict, upon which the transaction must not be committed.
    """
    rows = [_new(one) for one in arrivals]
    # In one order everywhere: two doors that write the same keys must not wait for each other.
    written = _write(tx, sorted(_without_erased(tx, rows), key=lambda row: row.key))
    if len(written) == len(rows):
        return [Accepted(id=row.id, duplicate=False) for row in rows]
    missing = [row.key for row in rows if row.id not in written]
    known = _known(tx, missing)
    known |= _erased(tx, [key for key in missing if key not in known])
    conflicts = _conflicts(rows, written, known)
    if conflicts:
        raise InConflict(conflicts)
    return [
        Accepted(id=row.id, duplicate=False)
        if row.id in written
        else Accepted(id=known[row.key].id, duplicate=True)
        for row in rows
    ]


def _known(tx: Connection, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, ...], AnyRow]:
    found = _KNOWN.run(tx, **row_values(tx, list(_KEY), keys))
    return {(one[0], one[1], one[2]): one for one in found}


def _without_erased(tx: Connection, rows: Sequence[_New]) -> Sequence[_New]:
    """Those whose key is not the one of an erased event.

    On SQLite nobody else writes meanwhile; on PostgreSQL the statement that writes them asks.
    """
    if tx.dialect.name != "sqlite" or not any_erased(tx):
        return rows
    erased = _erased(tx, [row.key for row in rows])
    return [row for row in rows if row.key not in erased]


def _erased(tx: Connection, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, ...], AnyRow]:
    """The erased events by their keys as they were."""
    if not keys:
        return {}
    secret = key_of_store(tx)
    given = {(*key[:2], erased_key(secret, *key)): key for key in keys}
    return {given[one]: row for one, row in _known(tx, list(given)).items()}  # type: ignore[index]


def _conflicts(
    rows: Sequence[_New], written: set[str], known: Mapping[tuple[str, ...], AnyRow]
) -> list[KeyConflict]:
    places = {row.id: index for index, row in enumerate(rows)}
    return [
        KeyConflict(
            index=index,
            key=row.idempotency_key,
            event_id=known[row.key].id,
            earlier=places.get(known[row.key].id),
        )
        for index, row in enumerate(rows)
        # An erased event has no digest: what it was sent with cannot be compared any more.
        if row.id not in written and known[row.key].digest not in ("", row.digest)
    ]


def new_event_id() -> str:
    """An id that no other event has; ids of later events are greater."""
    return uuid7().hex


def _new(arrival: Arrival) -> _New:
    return _New(
        id=arrival.id,
        client=arrival.trigger.client,
        workflow=arrival.workflow.name,
        workflow_id=arrival.workflow.id,
        idempotency_key=arrival.trigger.idempotency_key or arrival.id,
        digest=arrival.trigger.digest,
        body=arrival.trigger.payload,
        actor=arrival.actor,
    )


def _write(tx: Connection, rows: Sequence[_New]) -> set[str]:
    """Write events, and the payloads and audit rows of those that are new; their ids."""
    if tx.dialect.name != "sqlite":  # each round trip is one more wait of everybody in the commit
        secret = key_of_store(tx)
        asked = [(*row, erased_key(secret, *row.key)) for row in rows]
        return set(_INSERT_ALL.run(tx, **row_values(tx, list(_GIVEN), asked)).scalars())
    written = set(_INSERT.run(tx, **row_values(tx, _EVENT, [row[:6] for row in rows])).scalars())
    new = [row for row in rows if row.id in written]
    if new:
        tx.execute(_INSERT_PAYLOADS, [{"event_id": row.id, "body": row.body} for row in new])
    for actor in dict.fromkeys(row.actor for row in new):
        record_moves(
            tx,
            [row.id for row in new if row.actor == actor],
            actor=actor,
            action=Move.ACCEPT,
            source=None,
            target=State.ACCEPTED,
        )
    return written


_INSERT_PAYLOADS = insert(payloads)


def _insert(dialect: str) -> Any:
    return _insert_events(dialect, rows_of(dialect, **{name: _GIVEN[name] for name in _EVENT}))


def _insert_events(dialect: str, given: FromClause) -> Any:
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
    fresh_only: Any = upsert(dialect, events)
    # SQLite needs the WHERE to tell an upsert from a join.
    asked = true() if dialect == "sqlite" else _was_not_erased(given)
    fresh = select(*(given.c[name] for name in _EVENT), *fixed.values()).where(asked)
    return (
        fresh_only.from_select([*_EVENT, *fixed], fresh)
        .on_conflict_do_nothing(
            index_elements=[events.c.client, events.c.workflow, events.c.idempotency_key]
        )
        .returning(events.c.id)
    )


def _was_not_erased(given: FromClause) -> Any:
    """That no erased event has the key; where none was ever erased, it is asked of no event."""
    erased = events.alias("erased").c
    same = exists().where(
        erased.client == given.c.client,
        erased.workflow == given.c.workflow,
        erased.idempotency_key == given.c.erased_key,
    )
    return or_(~ANY_ERASED, ~same)


def _insert_all(dialect: str) -> Any:
    """What SQLite takes three statements for."""
    given = select(rows_of(dialect, **_GIVEN)).cte("given")
    fresh = _insert_events(dialect, given).cte("fresh")
    new = given.join(fresh, fresh.c.id == given.c.id)
    bodies = select(given.c.id, given.c.body).select_from(new)
    told = select(
        now_ms(),
        given.c.client,
        given.c.workflow,
        given.c.id,
        given.c.actor,
        literal(Move.ACCEPT.value),
        literal(State.ACCEPTED.value),
    ).select_from(new)
    columns = ("at", "client", "workflow", "event_id", "actor", "action", "target")
    return select(fresh.c.id).add_cte(
        insert(payloads).from_select(("event_id", "body"), bodies).cte("bodies"),
        insert(audit).from_select(columns, told).cte("told"),
    )


_KEY = dict.fromkeys(("client", "workflow", "idempotency_key"), str)


def _select_known(dialect: str) -> Any:
    given, table = rows_of(dialect, **_KEY), events.c
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


_INSERT, _INSERT_ALL = Prepared(_insert), Prepared(_insert_all)
_KNOWN = Prepared(_select_known)
