"""The statements that accept triggers, each built once for a database.

SQLite takes events, payloads and audit rows one after the other; PostgreSQL all in one, for each
round trip is one more wait of everybody in the commit.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Insert, and_, exists, insert, literal, or_, select, true

from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, rows_of
from orchestrator.store.database.schema import audit, events, payloads, traces, workflow_versions
from orchestrator.store.database.upserts import upsert
from orchestrator.store.drive.erased_keys import ANY_ERASED
from orchestrator.store.quarantine.workflows import LIVE

TRIGGER = dict.fromkeys(("client", "trigger_type"), str)
KEY = dict.fromkeys(("client", "workflow", "idempotency_key"), str)
EVENT: dict[str, type] = {
    "id": str,
    "client": str,
    "workflow": str,
    "workflow_id": int,
    "idempotency_key": str,
    "digest": str,
}
NEW = dict.fromkeys(("client", "workflow", "id", "actor"), str)
WHOLE: dict[str, type] = {**EVENT, "body": str, "actor": str, "erased_key": str}
"""What the statements are given, a row for each trigger: columns and their types, in order."""


def _live(dialect: str) -> Any:
    """The live workflows of these triggers."""
    given, table = rows_of(dialect, **TRIGGER), workflow_versions.c
    return LIVE.join(
        given,
        and_(table.client == given.c.client, table.trigger_type == given.c.trigger_type),
    )


def _known(dialect: str) -> Any:
    """The events that have these keys."""
    given, table = rows_of(dialect, **KEY), events.c
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


def _events(dialect: str, given: FromClause) -> Any:
    """Events of those whose key nobody has; it answers their ids."""
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
    fresh = select(*(given.c[name] for name in EVENT), *fixed.values()).where(asked)
    return (
        fresh_only.from_select([*EVENT, *fixed], fresh)
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


def _audit(given: FromClause, new: FromClause) -> Insert:
    """The audit's row of each event that is new."""
    told = {
        "at": now_ms(),
        "client": given.c.client,
        "workflow": given.c.workflow,
        "event_id": given.c.id,
        "actor": given.c.actor,
        "action": literal(Move.ACCEPT.value),
        "target": literal(State.ACCEPTED.value),
    }
    return insert(audit).from_select(list(told), select(*told.values()).select_from(new))


def _everything(dialect: str) -> Any:
    given = select(rows_of(dialect, **WHOLE)).cte("given")
    fresh = _events(dialect, given).cte("fresh")
    new = given.join(fresh, fresh.c.id == given.c.id)
    bodies = select(given.c.id, given.c.body).select_from(new)
    return select(fresh.c.id).add_cte(
        insert(payloads).from_select(("event_id", "body"), bodies).cte("bodies"),
        _audit(given, new).cte("told"),
    )


def _audit_of_given(dialect: str) -> Insert:
    given = rows_of(dialect, **NEW)
    return _audit(given, given)


SELECT_LIVE = Prepared(_live)
SELECT_ANY_ERASED = Prepared(lambda _: select(ANY_ERASED))
SELECT_KNOWN = Prepared(_known)
INSERT_EVENTS = Prepared(lambda dialect: _events(dialect, rows_of(dialect, **EVENT)))
INSERT_PAYLOADS = insert(payloads)
INSERT_TRACES = insert(traces)
INSERT_AUDIT = Prepared(_audit_of_given)
INSERT_EVERYTHING = Prepared(_everything)
