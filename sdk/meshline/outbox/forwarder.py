"""The forwarder: sends what waits in an outbox to the door, and deletes what the door has."""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from meshline.core import Core
from meshline.errors import MeshlineError, Refused
from meshline.event import Event
from meshline.outbox.databases import DatabaseFailed
from meshline.outbox.table import Backlog, OutboxTable, Row
from meshline.producer import Producer
from meshline.tracing import PARENT, STATE

MOST_ROWS = 200  # of one send
MOST_BYTES = 2 * 1024 * 1024  # of payloads in one send, where one alone is not larger
LEASE_SECONDS = 30.0

_FIRST_DELAY = 5.0  # seconds until an event that failed by itself is tried again
_LONGEST_DELAY = 300.0
_MANY = 3  # single events that a door fails over: then it fails over all
_LONGEST_PAUSE = 30.0  # seconds, while the door or the database does not answer
_COUNT_SECONDS = 15.0  # how old the number may be that tells the door what waits

_log = logging.getLogger("meshline.outbox")


@dataclass(frozen=True)
class Round:
    """What one look at the outbox came to."""

    sent: int = 0
    refused: int = 0
    delayed: int = 0
    problem: str | None = None  # why what is left was not sent
    elsewhere: bool = False  # another forwarder holds the lease


class Forwarder:
    """Sends events in order. Several may run on one outbox: one works, the others wait for it.

    The producer's deadline must be well under `lease`, both in seconds: a forwarder that is
    killed is replaced after that.
    """

    def __init__(
        self, table: OutboxTable, producer: Producer, *, lease: float = LEASE_SECONDS
    ) -> None:
        self._table = table
        self._producer = producer
        self._lease = lease
        place = f"{os.getpid()}@{socket.gethostname()[:60]}"
        self._own = f"{place}/{uuid4().hex[:12]}"  # a process id is used again
        self._sent = self._refused = self._delayed = 0
        self._crashes = 0  # single events in a row that the door failed over
        self._backlog, self._counted_at, self._sent_since = Backlog(0, 0.0, 0), -_COUNT_SECONDS, 0

    def forward(self) -> Round:
        """Send what is due now, until nothing is, the door fails, or the lease is another's.

        Raises DatabaseFailed where the application's database does not answer.
        """
        self._sent = self._refused = self._delayed = self._crashes = 0
        problem, held = None, self._hold()
        while held and problem is None:
            rows = _first(self._table.due(MOST_ROWS))
            if not rows:
                break
            try:
                held = self._send_all(rows)
            except _NothingGoes as stopped:
                problem = str(stopped)
        return Round(self._sent, self._refused, self._delayed, problem, elsewhere=not held)

    def run(self, stop: threading.Event, *, pause: float = 1.0) -> None:
        """Forward until `stop` is set; `pause` is in seconds between two looks."""
        failures, known = 0, None
        while not stop.is_set():
            try:
                problem = self.forward().problem
            except DatabaseFailed as error:
                problem = str(error)
            if problem != known:  # once per change: a night without a door is not a full log
                _log.warning("%s", problem or "events go out again")
            failures, known = (failures + 1 if problem else 0), problem
            slower = min(_LONGEST_PAUSE, pause * 2.0 ** min(failures, 9))
            stop.wait(slower * (0.5 + random.random() / 2) if failures else pause)
        self.release()

    def release(self) -> None:
        """Let another forwarder work at once."""
        try:
            self._table.release_lease(self._own)
        except DatabaseFailed as error:
            _log.info("the lease ends by itself: %s", error)

    def _hold(self) -> bool:
        return self._table.take_lease(self._own, self._lease)

    def _send_all(self, rows: Sequence[Row]) -> bool:
        """Send rows in order, in as few batches as the door takes; False: the lease is lost.

        Raises _NothingGoes where the next one would fail too.
        """
        waiting: list[Sequence[Row]] = [self._readable(rows)]
        stopped: set[tuple[str, str]] = set()  # aggregates with an event that has to wait
        while waiting:
            batch = [row for row in waiting.pop(0) if row.aggregate not in stopped]
            # Before each send, since a process may sleep for longer than a lease: then it must
            # not send what another one, which goes on behind it, has sent already.
            if batch and not self._hold():
                return False
            try:
                self._send(batch)
            except MeshlineError as error:
                waiting[:0] = self._parts(batch, error, stopped)
        return True

    def _send(self, batch: Sequence[Row]) -> None:
        if batch:
            self._say_backlog(batch)
            emitted = self._producer.emit_many([_event(row) for row in batch])
            if not all(one.accepted for one in emitted):
                raise _NothingGoes("the producer has a spool; give the forwarder one without")
            # The door has committed them. A crash here sends them again, with the same keys.
            self._table.forget(batch)
            self._crashes = 0
            self._sent += len(batch)
            self._sent_since += len(batch)

    def _say_backlog(self, batch: Sequence[Row]) -> None:
        """Let the door know with the next request how much waits behind it."""
        core = self._producer.steps
        if not isinstance(core, Core):
            return
        now = time.monotonic()
        # Counting a long backlog takes a moment; at its end the number has to be right.
        nearly_empty = self._backlog.waiting - self._sent_since <= len(batch)
        if now >= self._counted_at + _COUNT_SECONDS or nearly_empty:
            self._backlog, self._counted_at = self._table.backlog(), now
            self._sent_since = 0
        going = sum(not row.failed for row in batch)  # what failed by itself may well do so again
        waiting = max(0, self._backlog.waiting - self._sent_since - going)
        core.spool_header = (
            f"waiting={waiting}, oldest={self._backlog.oldest_seconds if waiting else 0.0:.0f},"
            f" refused={self._backlog.refused}, id={self._table.id}, kind=outbox"
        )

    def _parts(
        self, batch: Sequence[Row], error: MeshlineError, stopped: set[tuple[str, str]]
    ) -> list[Sequence[Row]]:
        """What is left to be sent of a batch that the door refused as a whole."""
        if isinstance(error, DatabaseFailed):
            raise error
        index: int | None = getattr(error, "index", None)
        mendable = not isinstance(error, Refused)
        too_large = getattr(error, "status", None) == 413  # for a proxy, if it is mendable
        crashed = _door_crashed(error)  # perhaps over one of them
        self._crashes += crashed and len(batch) == 1
        if (mendable and index is None and not (too_large or crashed)) or self._crashes == _MANY:
            self._table.note(batch, str(error))
            raise _NothingGoes(str(error)) from error
        if index is None and len(batch) > 1:  # such as a body that is too large
            half = len(batch) // 2
            return [batch[:half], batch[half:]]
        row = batch[index or 0]
        if mendable:
            self._table.delay(row, str(error), seconds=_delay(row.attempts))
            self._delayed += 1
            stopped.add(row.aggregate)
        else:
            self._refuse(row, str(error))
        return [[one for one in batch if one is not row]]

    def _readable(self, rows: Sequence[Row]) -> list[Row]:
        """Without the rows whose payload is not JSON: any program may insert."""
        readable = []
        for row in rows:
            try:
                json.loads(row.payload, object_pairs_hook=_once_each, parse_constant=_not_json)
            except (ValueError, RecursionError) as error:
                self._refuse(row, f"payload: it is not JSON: {error}")
            else:
                readable.append(row)
        return readable

    def _refuse(self, row: Row, error: str) -> None:
        self._table.refuse(row, error)
        self._refused += 1
        known = self._backlog  # it is not counted again until its end is near
        self._backlog = replace(known, waiting=known.waiting - 1, refused=known.refused + 1)
        _log.warning("refused, and kept: %s %s", row.type, row.id)


class _NothingGoes(Exception):
    """Raised when no event can be sent now, whichever it is."""


def _door_crashed(error: BaseException | None) -> bool:
    """Whether a door answered that it failed inside: it is there, and may take other events."""
    while error is not None:
        if getattr(error, "code", None) == "internal_error":
            return True
        error = error.__cause__
    return False


def _delay(attempts: int) -> float:
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempts, 9))


def _event(row: Row) -> Event:
    said = dict(line.strip().partition("=")[::2] for line in (row.trace or "").splitlines())
    return Event(
        row.type,
        json.loads(row.payload),
        client=row.client,
        idempotency_key=row.id,
        traceparent=said.get(PARENT, ""),  # that of the transaction, never the forwarder's own
        tracestate=said.get(STATE),
    )


def _first(rows: Sequence[Row]) -> Sequence[Row]:
    """As many of the first rows as one batch may hold; one at least."""
    size = 0
    for count, row in enumerate(rows):
        size += len(row.payload)
        if count and size > MOST_BYTES:
            return rows[:count]
    return rows


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object holds a name twice")
    return found


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not a number of JSON")
