"""What waits in a spool, in order; what the door refused is kept beside it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshline.errors import Refused, SpoolFull
from meshline.spool.file import SpoolFile, Transaction
from meshline.tracing import PARENT, STATE

MOST_EVENTS = 100_000
MOST_BYTES = 256 * 1024 * 1024

_COLUMNS = "seq, line, client, type, idempotency_key, body, spooled_at, state, error"


@dataclass(frozen=True)
class Addition:
    """An event that is to be spooled."""

    line: str
    client: str | None
    type: str
    idempotency_key: str
    body: bytes  # as the door reads it


@dataclass(frozen=True)
class SpooledEvent:
    """An event in the spool."""

    seq: int  # its number, by which it is named
    line: str  # within which the order is kept
    client: str  # empty: the one that the key is for
    type: str
    idempotency_key: str
    body: bytes  # as the door reads it
    spooled_at: float  # seconds since 1970
    state: str  # waiting or refused
    error: str | None  # what the door said last


@dataclass(frozen=True)
class SpoolState:
    """How much is in a spool."""

    waiting: int
    refused: int
    bytes: int
    oldest: float  # seconds since the first of those that wait was spooled; 0: none waits


class Spool:
    """A bounded queue in one file, on a local disk. Threads, processes and forks share it.

    It holds `most_events` and `most_bytes`, refused ones too. `lease_seconds` is how long nobody
    else forwards after a forwarder died. One spool is for one door.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
        lease_seconds: float = 15.0,
        busy_seconds: float = 10.0,
    ) -> None:
        self.path = Path(path)
        self.lease_seconds = lease_seconds
        self.id = _id_of(self.path)
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._file = SpoolFile(self.path, busy_seconds=busy_seconds)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def add(self, additions: Sequence[Addition]) -> None:
        """Put events at the end, all of them or none; they are on disk when this returns.

        An event that is there already is not added again. Raises SpoolFull, SpoolFailed, and
        Refused for a key that is there with another body.
        """
        with self._file.write() as tx:
            for one in additions:
                if not self._is_there(tx, one):
                    tx.change(
                        "INSERT INTO events (line, client, type, idempotency_key, body,"
                        " spooled_at, state) VALUES (?, ?, ?, ?, ?, ?, 'waiting')",
                        (one.line, one.client or "", one.type, one.idempotency_key, one.body,
                         time.time()),
                    )  # fmt: skip
            self._refuse_overflow(tx)

    def waits_in(self, lines: Collection[str]) -> set[str]:
        """Those of the lines in which an event waits. Raises SpoolFailed."""
        with self._file.read() as tx:
            return {
                line
                for line in lines
                if tx.rows(
                    "SELECT 1 FROM events WHERE line = ? AND state = 'waiting' LIMIT 1", (line,)
                )
            }

    def state(self) -> SpoolState:
        """How much is in it. Raises SpoolFailed."""
        with self._file.read() as tx:
            [(waiting, refused, size, first)] = tx.rows(
                "SELECT waiting, refused, bytes, (SELECT spooled_at FROM events"
                " WHERE state = 'waiting' ORDER BY seq LIMIT 1) FROM totals"
            )
        age = 0.0 if first is None else max(0.0, time.time() - first)
        return SpoolState(waiting=waiting, refused=refused, bytes=size, oldest=age)

    def first(
        self, count: int, *, size: int = 2**62, but_lines: Collection[str] = ()
    ) -> list[SpooledEvent]:
        """The first that wait, of other lines than these: up to `count`, and `size` bytes."""
        marks = ", ".join("?" * len(but_lines))
        taken = 0

        def fits(row: tuple[Any, ...]) -> bool:
            nonlocal taken
            first, taken = not taken, taken + len(row[5])
            return first or taken <= size

        with self._file.read() as tx:
            found = tx.some(
                f"SELECT {_COLUMNS} FROM events WHERE state = 'waiting'"  # noqa: S608 - our words
                f" AND line NOT IN ({marks}) ORDER BY seq LIMIT ?",
                (*but_lines, count),
                fits,
            )
        return [SpooledEvent(*row) for row in found]

    def every(self, state: str | None = None) -> list[SpooledEvent]:
        """All of them in order, or those of one state. Raises SpoolFailed."""
        with self._file.read() as tx:
            found = tx.rows(
                f"SELECT {_COLUMNS} FROM events WHERE ? IN ('', state) ORDER BY seq",  # noqa: S608
                (state or "",),
            )
        return [SpooledEvent(*row) for row in found]

    def cause(self) -> str | None:
        """Why the first event waits that was tried in vain. Raises SpoolFailed."""
        with self._file.read() as tx:
            found = tx.rows(
                "SELECT error FROM events WHERE state = 'waiting' AND error IS NOT NULL"
                " ORDER BY seq LIMIT 1"
            )
        return found[0][0] if found else None

    def forget(self, events: Collection[SpooledEvent]) -> None:
        """Take events out that the door has committed."""
        self._by_number("DELETE FROM events WHERE seq = ?", [one.seq for one in events])

    def set_aside(self, event: SpooledEvent, error: str) -> None:
        """Keep an event that the door refused, out of the way of the others."""
        with self._file.write() as tx:
            tx.change(
                "UPDATE events SET state = 'refused', error = ? WHERE seq = ?", (error, event.seq)
            )

    def note(self, event: SpooledEvent, error: str) -> None:
        """Keep why an event waits that the door did not take."""
        with self._file.write() as tx:
            tx.change("UPDATE events SET error = ? WHERE seq = ?", (error, event.seq))

    def retry(self, numbers: Collection[int]) -> int:
        """Let refused events wait again, at the end; how many there were."""
        with self._file.write() as tx:
            return sum(_again(tx, number) for number in numbers)

    def drop(self, numbers: Collection[int]) -> int:
        """Take events out for good; how many there were."""
        return self._by_number("DELETE FROM events WHERE seq = ?", numbers)

    def take_lease(self, owner: str) -> bool:
        """Become or stay the one who forwards, for a while; False: another one is. Raises."""
        now, most = time.time(), self.lease_seconds
        with self._file.write() as tx:
            # A lease that ends too late was written before the clock was set back.
            taken = tx.change(
                "UPDATE lease SET owner = ?, until = ? WHERE owner = ? OR until < ? OR until > ?",
                (owner, now + most, owner, now, now + most),
            )
            return taken == 1

    def is_leased(self) -> bool:
        """Whether somebody forwards now, or died doing so a moment ago. Raises SpoolFailed."""
        now = time.time()
        with self._file.read() as tx:
            return bool(
                tx.rows(
                    "SELECT 1 FROM lease WHERE owner <> '' AND until BETWEEN ? AND ?",
                    (now, now + self.lease_seconds),
                )
            )

    def give_lease_back(self, owner: str) -> None:
        """Let the next one forward at once."""
        with self._file.write() as tx:
            tx.change("UPDATE lease SET owner = '', until = 0 WHERE owner = ?", (owner,))

    def _by_number(self, statement: str, numbers: Collection[int]) -> int:
        with self._file.write() as tx:
            return sum(tx.change(statement, (number,)) for number in numbers)

    def _is_there(self, tx: Transaction, one: Addition) -> bool:
        found = tx.rows(
            "SELECT seq, body, state FROM events"
            " WHERE client = ? AND type = ? AND idempotency_key = ?",
            (one.client or "", one.type, one.idempotency_key),
        )
        if not found:
            return False
        number, body, state = found[0]
        if body != one.body and _without_trace(body) != _without_trace(one.body):
            raise Refused(
                "the spool holds this key with another payload",
                code="idempotency_conflict",
                field="idempotency_key",
                fix="use a new key for a new event",
            )
        if state == "refused":
            _again(tx, number)
        return True

    def _refuse_overflow(self, tx: Transaction) -> None:
        [(waiting, refused, size)] = tx.rows("SELECT waiting, refused, bytes FROM totals")
        if waiting + refused > self._most_events or size > self._most_bytes:
            raise SpoolFull(
                f"the spool {self.path} is full: it may hold {self._most_events} events and"
                f" {self._most_bytes} bytes, refused ones too; mend the way to the door, and look"
                f" at `python -m meshline.spool list {self.path}`"
            )


def _id_of(path: Path) -> str:
    """Tells this spool from others, and does not tell its path."""
    place = f"{socket.gethostname()} {path.absolute()}"
    return hashlib.sha256(place.encode(errors="surrogateescape")).hexdigest()[:12]


def _without_trace(body: bytes) -> str:
    """What makes an event another one: it may be spooled again in another trace.

    A text, because Python holds 1, 1.0 and true for equal, and the door does not.
    """
    fields = {name: said for name, said in json.loads(body).items() if name not in (PARENT, STATE)}
    return json.dumps(fields, sort_keys=True)


def _again(tx: Transaction, number: int) -> int:
    """Move a refused event to the end, where it waits."""
    moved = tx.change(
        "UPDATE events SET state = 'waiting', error = NULL, seq = (SELECT max(seq) FROM ("
        "SELECT max(seq) + 1 AS seq FROM events UNION SELECT seq + 1 FROM sqlite_sequence"
        " WHERE name = 'events')) WHERE seq = ? AND state = 'refused'",
        (number,),
    )
    tx.change(
        "UPDATE sqlite_sequence SET seq = max(seq, (SELECT max(seq) FROM events))"
        " WHERE name = 'events'"
    )
    return moved
