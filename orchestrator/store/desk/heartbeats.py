"""Heartbeats as rows: one per process, written every few seconds by the loop that does the work."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case, delete, select

from orchestrator.domain.heartbeats import (
    BEAT_SECONDS,
    Heartbeat,
    ProcessKind,
    instance_name,
    patience,
    pid_of,
)
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import heartbeats
from orchestrator.store.database.upserts import upsert

log = logging.getLogger(__name__)

_KEPT_SECONDS = 86_400.0  # a row that is silent for a day tells nobody anything
_LONGEST = 120  # characters of what a process did, and of its names


_ours: set[str] = set()  # names of this very process


class Pulse:
    """The heart of one process. It may be asked as often as one likes, and is never in the way."""

    def __init__(
        self,
        store: Store,
        kind: ProcessKind,
        *,
        longest_turn_seconds: float,
        instance: str | None = None,
    ) -> None:
        self._store = store
        self._kind = kind
        self._host = socket.gethostname()[:_LONGEST]
        own = instance_name(self._host, os.getpid(), secrets.token_hex(3))
        self._instance = (instance or own)[:_LONGEST]
        _ours.add(self._instance)
        self._patience = patience(longest_turn_seconds)
        self._due = 0.0  # of `time.monotonic`
        self._begun = False
        self._failed = False

    @property
    def instance(self) -> str:
        """The name of the process, which no other has."""
        return self._instance

    def beat(self, did: str) -> None:
        """Say that a turn of the work is done, at most every `BEAT_SECONDS`. Raises nothing."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + BEAT_SECONDS
        try:
            with self._store.write() as tx:
                if not self._begun:
                    forget_heartbeats(tx)
                    _forget_the_dead(tx, self._kind, self._host, self._instance)
                self._write(tx, did)
        except Exception as error:  # noqa: BLE001 - work goes on, whatever becomes of its beat
            if not self._failed:
                log.warning("no heartbeat: %s", error)
            self._failed = True
        else:
            self._begun, self._failed = True, False

    def end(self) -> None:
        """Take the row away: who ends in good order is not missed. Raises nothing."""
        try:
            with self._store.write() as tx:
                tx.execute(
                    delete(heartbeats).where(
                        heartbeats.c.kind == self._kind.value,
                        heartbeats.c.instance == self._instance,
                    )
                )
        except Exception as error:  # noqa: BLE001 - a process that ends has better things to do
            log.debug("its last heartbeat stays: %s", error)

    def _write(self, tx: Connection, did: str) -> None:
        insert: Any = upsert(tx.dialect.name, heartbeats)
        statement = insert.values(
            kind=self._kind.value,
            instance=self._instance,
            host=self._host,
            started_at=now_ms(),
            beat_at=now_ms(),
            did=did[:_LONGEST],
            patience_ms=int(self._patience * 1000),
        )
        new = statement.excluded
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=[heartbeats.c.kind, heartbeats.c.instance],
                set_={"beat_at": new.beat_at, "did": new.did, "patience_ms": new.patience_ms},
            )
        )


def try_to_write(store: Store, instance: str) -> None:
    """Write a row of the supervisor's own: whoever can has room, a lock and the right.

    Raises StoreUnavailable.
    """
    with store.write() as tx:
        insert: Any = upsert(tx.dialect.name, heartbeats)
        statement = insert.values(
            kind=_SUPERVISOR,
            instance=instance[:_LONGEST],
            host=socket.gethostname()[:_LONGEST],
            started_at=now_ms(),
            beat_at=now_ms(),
            did="it looked whether the store takes a commit",
            patience_ms=int(patience(0) * 1000),
        )
        last, beat = heartbeats.c.beat_at, statement.excluded.beat_at
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=[heartbeats.c.kind, heartbeats.c.instance],
                # Never the same: SQLite writes nothing where a row stays as it was.
                set_={"beat_at": case((beat > last, beat), else_=last + 1)},
            )
        )


_SUPERVISOR = "supervisor"  # no process of the ProcessKind that somebody waits for


def list_heartbeats(tx: Connection) -> Sequence[Heartbeat]:
    """The last beat of each process that is not long gone, the newest first."""
    table = heartbeats.c
    rows = tx.execute(
        select(*heartbeats.columns, now_ms().label("now"))
        .where(table.beat_at > after(-_KEPT_SECONDS))
        .order_by(table.beat_at.desc(), table.instance)
    )
    return [
        Heartbeat(
            kind=row.kind,
            instance=row.instance,
            host=row.host,
            started_at=row.started_at,
            beat_at=row.beat_at,
            did=row.did,
            patience_seconds=row.patience_ms / 1000,
            silent_seconds=max(0, row.now - row.beat_at) / 1000,
        )
        for row in rows
    ]


def _forget_the_dead(tx: Connection, kind: ProcessKind, host: str, successor: str) -> None:
    """Delete the rows of processes of this kind on this machine that were killed.

    A container with our host's name and process ids of its own may look dead from here: its row is
    back with its next beat.
    """
    own = pid_of(successor)
    dead = [
        one.instance
        for one in list_heartbeats(tx)
        if (one.kind, one.host) == (kind, host) and one.instance not in _ours
        # Our own process id in another's name: a container that began again counts anew.
        if one.pid is not None and (one.pid == own or not _runs(one.pid))
    ]
    tx.execute(
        delete(heartbeats).where(heartbeats.c.kind == kind.value, heartbeats.c.instance.in_(dead))
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def forget_heartbeats(tx: Connection) -> int:
    """Delete what has been silent for over a day; how many."""
    return tx.execute(
        delete(heartbeats).where(heartbeats.c.beat_at < after(-_KEPT_SECONDS))
    ).rowcount
