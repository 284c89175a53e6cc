"""The outbox's tables, as the forwarder reads and writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meshline.outbox.databases import Database, DatabaseFailed
from meshline.outbox.dialects import TABLE, checked_table, ddl

_LONGEST_ERROR = 1000  # characters that are kept of one
_PAGE = 500  # rows that are looked at together


@dataclass(frozen=True)
class Row:
    """One event that waits to be sent."""

    position: int
    id: str  # its idempotency key
    aggregate: tuple[str, str]  # events with one aggregate are sent in order
    type: str
    payload: str  # JSON
    client: str | None
    attempts: int  # in vain so far
    trace: str | None  # the headers of its trace, `name=value` on a line each
    failed: bool  # by itself, and was delayed for that


@dataclass(frozen=True)
class Backlog:
    """What a door hears of an outbox."""

    waiting: int
    oldest_seconds: float  # since the first of them was inserted; 0: none waits
    refused: int


@dataclass(frozen=True)
class ListedRow:
    """One event in the outbox, without its data."""

    id: str
    type: str
    aggregate: tuple[str, str]
    client: str | None
    state: str  # waiting, delayed or refused
    seconds: float  # since it was inserted
    attempts: int  # in vain so far
    error: str | None  # why it waits, or was refused


@dataclass(frozen=True)
class RefusedRow:
    """One event that the door refused for good."""

    id: str
    type: str
    aggregate: tuple[str, str]
    client: str | None
    refused_seconds: float  # ago
    error: str


@dataclass(frozen=True)
class Status:
    """How an outbox is."""

    waiting: int  # events that are still to be sent, the delayed ones too
    oldest_seconds: float | None  # since the oldest of them was inserted
    delayed: int  # events that failed by themselves, and are tried again later
    error: str | None  # why the oldest of those that were tried waits
    refused: int  # events that the door refused for good
    forwarder: str | None  # that holds the lease, as PROCESS@HOST/NUMBER


class OutboxTable:
    """What can be done with an outbox. Each method may raise DatabaseFailed."""

    def __init__(self, database: Database, table: str = TABLE) -> None:
        self._database = database
        self._table = checked_table(table)
        self._dialect = database.dialect

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Hold the lease for so long from now; False while somebody else holds it."""
        dialect = self._dialect
        taken = self._run(
            f"UPDATE {self._table}_lease SET holder = ?, held_until = {dialect.after(seconds)}"
            f" WHERE holder IS NULL OR holder = ? OR held_until < {dialect.now}",
            holder,
            holder,
        )
        if taken == 0 and not self._database.run(f"SELECT id FROM {self._table}_lease").rows:
            raise DatabaseFailed(f"{self._table}_lease is empty; insert what `ddl` shows")
        return taken == 1

    def release_lease(self, holder: str) -> None:
        """Give the lease back, if it is still held."""
        self._run(
            f"UPDATE {self._table}_lease SET holder = NULL, held_until = NULL WHERE holder = ?",
            holder,
        )

    def due(self, most: int) -> list[Row]:
        """The first events that may be sent now, in the order of their inserts.

        An event waits behind a delayed one of its aggregate. These are rows that exist, looked for
        from the first one each time: what an open transaction commits later is found then.
        """
        chosen: list[int] = []
        waiting: set[tuple[str, str]] = set()
        page: Sequence[tuple[Any, ...]] = [(-1, "", "", 0)]
        while page and len(chosen) < most:
            page = self._page(behind=page[-1][0])
            for position, kind, number, delayed in page:
                if delayed:
                    waiting.add((kind, number))
                elif (kind, number) not in waiting:
                    chosen.append(position)
        return self._rows(chosen[:most])

    def _page(self, *, behind: int) -> Sequence[tuple[Any, ...]]:
        # One index is read, in its order. A condition over the rows of an aggregate in SQL made
        # PostgreSQL look at every pair of rows where it had no statistics yet: seconds per look.
        return self._database.run(
            "SELECT position, aggregatetype, aggregateid,"
            f" CASE WHEN retry_at > {self._dialect.now} THEN 1 ELSE 0 END"
            f" FROM {self._table} WHERE refused_at IS NULL AND position > ?"
            f" ORDER BY {self._dialect.order} LIMIT {_PAGE}",
            behind,
        ).rows

    def _rows(self, positions: Sequence[int]) -> list[Row]:
        if not positions:
            return []
        marks = ", ".join("?" for _ in positions)
        found = self._database.run(
            "SELECT position, id, aggregatetype, aggregateid, type, payload, client, attempts,"
            f" tracingspancontext,"
            " CASE WHEN retry_at IS NULL THEN 0 ELSE 1 END"
            f" FROM {self._table} WHERE position IN ({marks}) ORDER BY position",
            *positions,
        )
        return [
            Row(
                position=position,
                id=key,
                aggregate=(kind, number),
                type=type_,
                payload=payload,
                client=client,
                attempts=attempts,
                trace=trace,
                failed=bool(failed),
            )
            for position, key, kind, number, type_, payload, client, attempts, trace, failed in (
                found.rows
            )
        ]

    def forget(self, rows: Sequence[Row]) -> None:
        """Delete events that the door has committed."""
        self._each(f"DELETE FROM {self._table} WHERE position IN", rows)

    def refuse(self, row: Row, error: str) -> None:
        """Keep an event that the door refused for good, and send it no longer."""
        self._each(
            f"UPDATE {self._table} SET refused_at = {self._dialect.now}, error = ?,"
            " attempts = attempts + 1 WHERE position IN",
            [row],
            error[:_LONGEST_ERROR],
        )

    def delay(self, row: Row, error: str, *, seconds: float) -> None:
        """Let an event wait, and those of its aggregate behind it."""
        self._each(
            f"UPDATE {self._table} SET retry_at = {self._dialect.after(seconds)}, error = ?,"
            " attempts = attempts + 1 WHERE position IN",
            [row],
            error[:_LONGEST_ERROR],
        )

    def note(self, rows: Sequence[Row], error: str) -> None:
        """Keep why events could not be sent."""
        self._each(
            f"UPDATE {self._table} SET error = ?, attempts = attempts + 1 WHERE position IN",
            rows,
            error[:_LONGEST_ERROR],
        )

    def retry(self, key: str | None = None) -> int:
        """Send a refused event again, or all of them; answers how many."""
        which, values = (" AND id = ?", (key,)) if key is not None else ("", ())
        return self._run(
            f"UPDATE {self._table} SET refused_at = NULL, retry_at = NULL"
            f" WHERE refused_at IS NOT NULL{which}",
            *values,
        )

    def drop(self, keys: Sequence[str], *, by: str, why: str) -> int:
        """Delete refused events for good, and keep who did it and why; answers how many.

        What they carried is not kept. Done again after a failure, it ends the same.
        """
        marks = ", ".join("?" for _ in keys)
        columns = "position, id, aggregatetype, aggregateid, type, client, error"
        refused = f"FROM {self._table} WHERE refused_at IS NOT NULL AND id IN ({marks})"
        dropped = f"{self._table}_dropped"
        self._run(
            f"INSERT INTO {dropped} ({columns}, dropped_at, dropped_by, why)"
            f" SELECT {columns}, {self._dialect.now}, ?, ? {refused}"
            f" AND position NOT IN (SELECT position FROM {dropped})",
            by,
            why,
            *keys,
        )
        return self._run(f"DELETE {refused}", *keys)

    def listed(
        self, most: int, *, keys: Sequence[str] = (), refused: bool = False
    ) -> list[ListedRow]:
        """The first events, so many at most; those with these keys, or all that were refused."""
        which = ["1 = 1"]
        if keys:
            which.append(f"id IN ({', '.join('?' for _ in keys)})")
        if refused:
            which.append("refused_at IS NOT NULL")
        found = self._database.run(
            "SELECT id, type, aggregatetype, aggregateid, client,"
            " CASE WHEN refused_at IS NOT NULL THEN 'refused'"
            f" WHEN retry_at > {self._dialect.now} THEN 'delayed' ELSE 'waiting' END,"
            f" {self._dialect.age.format(moment='created_at')}, attempts, error"
            f" FROM {self._table} WHERE {' AND '.join(which)} ORDER BY position LIMIT {int(most)}",
            *keys,
        )
        return [
            ListedRow(
                id=key,
                type=type_,
                aggregate=(kind, number),
                client=client,
                state=state,
                seconds=max(0.0, float(age)),
                attempts=attempts,
                error=error,
            )
            for key, type_, kind, number, client, state, age, attempts, error in found.rows
        ]

    def backlog(self) -> Backlog:
        """How much waits, for the door to know."""
        run, table = self._database.run, self._table
        ((waiting,),) = run(f"SELECT count(*) FROM {table} WHERE refused_at IS NULL").rows
        ((refused,),) = run(f"SELECT count(*) FROM {table} WHERE refused_at IS NOT NULL").rows
        first = run(
            f"SELECT {self._dialect.age.format(moment='created_at')} FROM {table}"
            f" WHERE refused_at IS NULL ORDER BY {self._dialect.order} LIMIT 1"
        ).rows
        oldest = max(0.0, float(first[0][0])) if first else 0.0
        return Backlog(int(waiting), oldest, int(refused))

    @property
    def id(self) -> str:
        """Tells this outbox from others, and does not tell where it is."""
        return hashlib.sha256(f"{self._database.place} {self._table}".encode()).hexdigest()[:12]

    def status(self) -> Status:
        """Count what there is."""
        now, age = self._dialect.now, self._dialect.age.format(moment="min(created_at)")
        run = self._database.run
        ((waiting, oldest, delayed),) = run(
            f"SELECT count(*), {age}, sum(CASE WHEN retry_at > {now} THEN 1 ELSE 0 END)"
            f" FROM {self._table} WHERE refused_at IS NULL"
        ).rows
        ((refused,),) = run(f"SELECT count(*) FROM {self._table} WHERE refused_at IS NOT NULL").rows
        errors = run(
            f"SELECT error FROM {self._table} WHERE refused_at IS NULL AND error IS NOT NULL"
            " ORDER BY position LIMIT 1"
        ).rows
        held = run(f"SELECT holder FROM {self._table}_lease WHERE held_until > {now}").rows
        return Status(
            waiting=int(waiting),
            oldest_seconds=None if oldest is None else max(0.0, float(oldest)),
            delayed=int(delayed or 0),
            error=errors[0][0] if errors else None,
            refused=int(refused),
            forwarder=held[0][0] if held else None,
        )

    def refused(self, most: int) -> list[RefusedRow]:
        """The events that were refused first, so many at most."""
        age = self._dialect.age.format(moment="refused_at")
        found = self._database.run(
            f"SELECT id, type, aggregatetype, aggregateid, client, {age}, error"
            f" FROM {self._table} WHERE refused_at IS NOT NULL ORDER BY position LIMIT {int(most)}"
        )
        return [
            RefusedRow(key, type_, (kind, number), client, max(0.0, float(ago)), error or "")
            for key, type_, kind, number, client, ago, error in found.rows
        ]

    def create(self) -> None:
        """Make the tables, where they are not there."""
        for statement in ddl(self._dialect.name, table=self._table):
            self._database.run(statement)

    def _run(self, statement: str, *values: object) -> int:
        return self._database.run(statement, *values).count

    def _each(self, statement: str, rows: Sequence[Row], *values: object) -> None:
        if rows:
            marks = ", ".join("?" for _ in rows)
            positions = [one.position for one in rows]
            self._database.run(f"{statement} ({marks})", *values, *positions)
