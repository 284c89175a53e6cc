"""Searching the audit: by who, what, whose, which event and when, one bounded look after the other.

Only events and incidents have an index. Anything else is looked for among a bounded number of
rows, and the answer says how far back that was: a look that ended is not an empty audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, case, cast, func, literal, select

from orchestrator.domain.audit_words import every_word_of
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import audit
from orchestrator.store.views.audit import AuditRow, audited, by_actor
from orchestrator.store.views.values import iso_time

MOST_LOOKED_AT = 100_000  # rows
_SLACK_MS = 60_000  # rows are numbered before their transaction ends, so not quite in time's order


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditSought:
    """Which rows; every condition that is given must hold."""

    actor: str | None = None  # such as `cli:root`; `person:ada@acme.example` is also `…/session`
    action: str | None = None  # in the audit's own word
    client: str | None = None
    clients: frozenset[str] | None = None  # whose rows the reader may see; None: all of them
    workflow: str | None = None  # its name
    event_id: str | None = None
    incident: int | None = None
    since: int | None = None  # at this time or later, in milliseconds
    until: int | None = None  # before this time
    before: int | None = None  # only ids below it


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPage:
    """The newest rows that were found, the newest first."""

    rows: tuple[AuditRow, ...]
    before: int | None  # to go on with; None: there are no more
    looked_back_to: str | None  # where the look ended without filling the page; ISO 8601 in UTC


def search_audit(
    tx: Connection, sought: AuditSought, *, limit: int, most: int = MOST_LOOKED_AT
) -> AuditPage:
    """At most `limit` rows, looked for among the newest `most` that are not ruled out by time."""
    top, bottom = _range(tx, sought)
    indexed = sought.event_id is not None or sought.incident is not None
    floor = bottom if indexed or not _is_rare(sought) else max(bottom, top - most)
    table = audit.c
    found = select(audit).where(table.id < top, table.id >= floor, *_conditions(sought))
    rows = tx.execute(found.order_by(table.id.desc()).limit(limit + 1)).all()
    if len(rows) > limit:
        return _page(tx, rows[:limit], before=rows[limit - 1].id)
    if floor > bottom:
        return _page(tx, rows, before=floor, looked_back_to=_time_at(tx, floor))
    return _page(tx, rows, before=None)


def _page(
    tx: Connection,
    rows: Sequence[AnyRow],
    *,
    before: int | None,
    looked_back_to: str | None = None,
) -> AuditPage:
    return AuditPage(rows=tuple(audited(tx, rows)), before=before, looked_back_to=looked_back_to)


def _is_rare(sought: AuditSought) -> bool:
    """Whether rows that hold the conditions may be far apart."""
    named = any((sought.actor, sought.action, sought.client, sought.workflow))
    return named or sought.clients is not None


def _conditions(sought: AuditSought) -> list[Any]:
    table = audit.c
    given = {
        table.client: sought.client,
        table.workflow: sought.workflow,
        table.event_id: sought.event_id,
        table.incident_id: sought.incident,
    }
    found: list[Any] = [column == value for column, value in given.items() if value is not None]
    if sought.actor is not None:
        found.append(by_actor(table.actor, sought.actor))
    if sought.action is not None:
        found.append(table.action.in_(every_word_of(sought.action)))
    if sought.clients is not None:
        found.append(table.client.in_(sorted(sought.clients)))
    if sought.since is not None:
        found.append(table.at >= sought.since)
    if sought.until is not None:
        found.append(table.at < sought.until)
    return found


def _range(tx: Connection, sought: AuditSought) -> tuple[int, int]:
    """The ids that time and cursor leave: below the first, from the second on."""
    top = _last_id(tx) + 1
    if sought.before is not None:
        top = min(top, sought.before)
    if sought.until is not None:
        top = min(top, _first_at(tx, sought.until + _SLACK_MS))
    bottom = 1 if sought.since is None else _first_at(tx, sought.since - _SLACK_MS)
    return top, min(bottom, top)


def _last_id(tx: Connection) -> int:
    return int(tx.execute(select(func.coalesce(func.max(audit.c.id), 0))).scalar_one())


def _first_at(tx: Connection, at_ms: int) -> int:
    """The id from which rows are of that time or later; one above the last where none is.

    There is no index of times. Ids rise with them, so the database halves the range of ids until
    one is left, in some twenty steps of one statement.
    """
    table = audit.c
    end = select(func.coalesce(func.max(table.id), 0) + 1).scalar_subquery()
    halving = select(
        cast(literal(1), BigInteger).label("low"), cast(end, BigInteger).label("high")
    ).cte("halving", recursive=True)
    low, high = halving.c.low, halving.c.high
    middle = (low + high) // 2
    at_middle = select(table.at).where(table.id >= middle).order_by(table.id).limit(1)
    is_early = at_middle.scalar_subquery() < at_ms
    halving = halving.union_all(
        select(case((is_early, middle + 1), else_=low), case((is_early, high), else_=middle)).where(
            low < high
        )
    )
    return int(
        tx.execute(select(halving.c.low).where(halving.c.low >= halving.c.high)).scalar_one()
    )


def _time_at(tx: Connection, number: int) -> str:
    at = select(audit.c.at).where(audit.c.id >= number).order_by(audit.c.id).limit(1)
    return iso_time(tx.execute(at).scalar_one())
