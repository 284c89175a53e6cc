"""Holding rows before anything is derived from them, in one order for everybody.

PostgreSQL's READ COMMITTED looks anew for each statement. A statement that waits for a row reads
that row again when its turn comes, and nothing else: a subquery beside it keeps what it saw before
the wait. So what is derived from rows that others may change is derived by a statement of its own,
after those rows are held.

The order is: plan, events by id, their deliveries, circuit breakers by name, incidents. Who holds
an event holds its deliveries with it: whoever changes a delivery holds its event first. On SQLite
a writer is alone from its BEGIN IMMEDIATE on, so there is nothing to hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events


def hold_events(tx: Connection, ids: Sequence[str]) -> None:
    """Wait for these events, and hold them and their deliveries until the transaction ends.

    What is read after it is not changed by others. A value read in the same statement may be old.
    """
    if ids and tx.dialect.name != "sqlite":
        _HOLD.run(tx, ids=list(ids))


def hold_client(tx: Connection, client: str) -> None:
    """Be the only one that publishes for this client until the transaction ends.

    What is not there yet cannot be held, so it is the client's name that is.
    """
    if tx.dialect.name != "sqlite":
        tx.execute(select(func.pg_advisory_xact_lock(_PUBLISHING, func.hashtext(client))))


def hold_reader(tx: Connection, actor: str) -> None:
    """Be the only one that writes down what this actor saw until the transaction ends."""
    if tx.dialect.name != "sqlite":
        tx.execute(select(func.pg_advisory_xact_lock(_SEEING, func.hashtext(actor))))


_PUBLISHING, _SEEING = 0x6D65, 0x6D68  # the numbers of our advisory locks, one for each kind


def hold_people(tx: Connection) -> None:
    """Be the only one that changes who is there and who is an admin, until the transaction ends."""
    if tx.dialect.name != "sqlite":
        tx.execute(select(func.pg_advisory_xact_lock(_PEOPLE, 0)))


_PEOPLE = 0x6D69


def hold_group(tx: Connection, ids: Sequence[str]) -> int:
    """`hold_events` for events of one workflow version; answers the version's id."""
    found: int = _HOLD.run(tx, ids=list(ids)).all()[0][0]
    return found


def _hold(dialect: str) -> Any:
    statement = (
        select(events.c.workflow_id).where(among(dialect, events.c.id)).order_by(events.c.id)
    )
    return statement if dialect == "sqlite" else held(statement)


def held(statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """The statement's events under a lock; with `skip` without those that somebody else holds.

    As strong as an UPDATE's: rows that refer to an event may be written beside it.
    """
    return statement.with_for_update(of=events, key_share=True, skip_locked=skip)


_HOLD = Prepared(_hold)
