"""Freeze windows of clients: no version of theirs goes live in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, select, update

from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import change_freezes, changes
from orchestrator.store.views.values import iso_time, of_clients

_T = change_freezes.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeze:
    """One window. Times are ISO 8601 in UTC."""

    client: str
    since: str  # when it begins, or began
    until: str
    why: str
    by: str  # an actor


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The times of one window, in milliseconds since 1970, with what is said of it."""

    since: int
    until: int
    why: str
    by: str


def add_freeze(tx: Connection, client: str, window: Window) -> None:
    """Write a window and its audit row."""
    tx.execute(
        insert(change_freezes).values(
            client=client,
            since=window.since,
            until=window.until,
            why=storable(window.why),
            by=window.by,
            at=now_ms(),
        )
    )
    detail = {
        "since": iso_time(window.since), "until": iso_time(window.until), "why": window.why,
    }  # fmt: skip
    audit.record(tx, actor=window.by, action="freeze_changes", client=client, detail=detail)


def end_freezes(tx: Connection, client: str, *, why: str, actor: str) -> int:
    """End every window of a client that is not over; how many."""
    open_ = (_T.client == client, _T.ended_at.is_(None), _T.until > now_ms())
    ended = tx.execute(
        update(change_freezes).where(*open_).values(ended_at=now_ms(), ended_by=actor)
    ).rowcount
    if ended:
        detail = {"why": why, "ended": ended}
        audit.record(tx, actor=actor, action="thaw_changes", client=client, detail=detail)
    return int(ended)


def freeze_at(tx: Connection, client: str, at: int) -> Window | None:
    """The window of a client that a moment is in, of several the one that ends last; None: none."""
    found = select(change_freezes).where(_T.client == client, _covers(at))
    row = tx.execute(found.order_by(_T.until.desc()).limit(1)).one_or_none()
    return None if row is None else _window(row)


def is_frozen() -> ColumnElement[bool]:
    """Whether a window keeps a change of the statement from going live now."""
    return exists().where(_T.client == changes.c.client, _covers(now_ms()))


def list_freezes(
    tx: Connection, *, client: str | None = None, clients: frozenset[str] | None = None
) -> tuple[Freeze, ...]:
    """The windows that are not over, by when they begin."""
    found = of_clients(select(change_freezes), _T.client, clients)
    found = found.where(_T.ended_at.is_(None), _T.until > now_ms())
    if client is not None:
        found = found.where(_T.client == client)
    return tuple(_freeze(row) for row in tx.execute(found.order_by(_T.since, _T.id)))


def _covers(at: ColumnElement[int] | int) -> ColumnElement[bool]:
    return and_(_T.ended_at.is_(None), _T.since <= at, _T.until > at)


def _window(row: Any) -> Window:
    return Window(since=row.since, until=row.until, why=row.why, by=row.by)


def _freeze(row: Any) -> Freeze:
    return Freeze(
        client=row.client,
        since=iso_time(row.since),
        until=iso_time(row.until),
        why=row.why,
        by=row.by,
    )
