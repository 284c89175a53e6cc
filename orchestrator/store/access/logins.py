"""Logins that failed lately, as rows: every process that takes logins counts in the same place."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.schema import login_failures
from orchestrator.store.database.upserts import upsert

_FORGOTTEN_SECONDS = 86400.0  # the longest wait is far shorter


def count_login(tx: Connection, subject: str) -> None:
    """Count a login before its password is looked at; one that succeeds is not a failure."""
    table = login_failures.c
    tx.execute(delete(login_failures).where(table.last_at < after(-_FORGOTTEN_SECONDS)))
    added = upsert(tx.dialect.name, login_failures).values(id=subject, failures=1, last_at=now_ms())
    tx.execute(
        added.on_conflict_do_update(
            index_elements=["id"], set_={"failures": table.failures + 1, "last_at": now_ms()}
        )
    )


def failures_of(tx: Connection, subject: str) -> tuple[int, float]:
    """How many failed lately, and how many seconds ago the last one was."""
    table = login_failures.c
    since = now_ms() - table.last_at
    row = tx.execute(
        select(table.failures, since.label("since")).where(
            table.id == subject, table.last_at > after(-_FORGOTTEN_SECONDS)
        )
    ).one_or_none()
    return (row.failures, row.since / 1000) if row else (0, 0.0)


def uncount_login(tx: Connection, subject: str) -> None:
    """Count one login less: it succeeded. What failed before still counts."""
    table = login_failures.c
    one_less = update(login_failures).where(table.id == subject, table.failures > 0)
    tx.execute(one_less.values(failures=table.failures - 1))


def forget_failures(tx: Connection, subject: str) -> None:
    """Take the count away."""
    tx.execute(delete(login_failures).where(login_failures.c.id == subject))
