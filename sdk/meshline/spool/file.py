"""The spool's file: opened, locked and committed so that threads, processes and forks share it.

An SQLite connection must not be carried through a fork: the child would believe that it holds the
locks of its parent. So no connection is open while this process forks.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from meshline.errors import MeshlineError, SpoolFailed, SpoolFull

_VERSION = 1
_FORK_SECONDS = 10.0  # that a fork waits for a commit of another thread
_FULL = (errno.ENOSPC, errno.EDQUOT)

_SCHEMA = """
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they go out
  line TEXT NOT NULL,                     -- within which the order is kept
  client TEXT NOT NULL,                   -- empty: the one that the key is for
  type TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  body BLOB NOT NULL,                     -- as the door reads it
  spooled_at REAL NOT NULL,               -- seconds since 1970
  state TEXT NOT NULL,                    -- waiting or refused
  error TEXT,                             -- what the door said last
  UNIQUE (client, type, idempotency_key)
);
CREATE INDEX waiting_in_order ON events (seq) WHERE state = 'waiting';
CREATE INDEX waiting_by_line ON events (line) WHERE state = 'waiting';
CREATE TABLE totals (waiting INTEGER NOT NULL, refused INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0);
CREATE TRIGGER added AFTER INSERT ON events BEGIN
  UPDATE totals SET waiting = waiting + (NEW.state = 'waiting'),
    refused = refused + (NEW.state = 'refused'), bytes = bytes + length(NEW.body);
END;
CREATE TRIGGER taken AFTER DELETE ON events BEGIN
  UPDATE totals SET waiting = waiting - (OLD.state = 'waiting'),
    refused = refused - (OLD.state = 'refused'), bytes = bytes - length(OLD.body);
END;
CREATE TRIGGER moved AFTER UPDATE OF state ON events BEGIN
  UPDATE totals SET
    waiting = waiting + (NEW.state = 'waiting') - (OLD.state = 'waiting'),
    refused = refused + (NEW.state = 'refused') - (OLD.state = 'refused');
END;
CREATE TABLE lease (owner TEXT NOT NULL, until REAL NOT NULL);
INSERT INTO lease VALUES ('', 0);
"""


class Transaction:
    """Statements in one transaction. No cursor leaves it: SQLite has to be at rest at a fork."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Everything that is found."""
        with contextlib.closing(self._connection.execute(statement, values)) as found:
            return found.fetchall()

    def some(
        self, statement: str, values: Sequence[object], wants: Callable[[tuple[Any, ...]], bool]
    ) -> list[tuple[Any, ...]]:
        """What is found, up to the first row that is not wanted."""
        with contextlib.closing(self._connection.execute(statement, values)) as found:
            return list(itertools.takewhile(wants, found))

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """How many rows were written."""
        with contextlib.closing(self._connection.execute(statement, values)) as done:
            return done.rowcount


class SpoolFile:
    """One SQLite file. Every call is one transaction, which is on disk when the call returns."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._held_for_fork = False
        _FILES.add(self)

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """For one statement that looks. Raises SpoolFailed."""
        with self._lock, self._translated():
            yield Transaction(self._open())

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that nobody else writes beside. Raises SpoolFailed, SpoolFull."""
        with self._lock, self._translated():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE").close()
            yield Transaction(connection)
            connection.execute("COMMIT").close()

    def close(self) -> None:
        """Give the connection back; the next call opens another."""
        with self._lock:
            self._drop()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """What SQLite and the disk say, as our errors; nothing of the transaction is left."""
        try:
            yield
        except BaseException as error:
            if not self._rolled_back() or isinstance(error, sqlite3.Error):
                self._drop()  # its state is unknown; a new one reads what is on disk
            if isinstance(error, MeshlineError) or not isinstance(error, (sqlite3.Error, OSError)):
                raise
            full = "is full" in str(error) or getattr(error, "errno", None) in _FULL
            kind = SpoolFull if full else SpoolFailed
            raise kind(f"the spool {self.path} cannot be used: {error}") from error

    def _rolled_back(self) -> bool:
        if self._connection is None or not self._connection.in_transaction:
            return True
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._process == os.getpid():
                return self._connection
            # Somebody forked without Python's hooks. Not even closing it would be safe.
            raise SpoolFailed(
                f"the process was forked while the spool {self.path} was open, and Python was not"
                " asked; make the producer after the fork"
            )
        _make_private(self.path)
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, time.monotonic() + self._busy_seconds)
        except BaseException:
            connection.close()
            raise
        self._connection, self._process = connection, os.getpid()
        return connection

    def _drop(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def before_fork(self) -> None:
        """Wait for a transaction of another thread, and let no other begin."""
        self._held_for_fork = self._lock.acquire(timeout=_FORK_SECONDS)
        if self._held_for_fork:
            self._drop()

    def after_fork(self) -> None:
        """Go on: each side opens a connection of its own."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Go on, with a lock that no thread of the parent holds."""
        self._lock = threading.Lock()


_FILES: weakref.WeakSet[SpoolFile] = weakref.WeakSet()


def _for_all(name: str) -> None:
    for file in list(_FILES):
        getattr(file, name)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _for_all("before_fork"),
        after_in_parent=lambda: _for_all("after_fork"),
        after_in_child=lambda: _for_all("after_fork_in_child"),
    )


def _make_private(path: Path) -> None:
    """The file is its owner's only; SQLite gives what it keeps beside it the same rights."""
    try:
        found = path.stat()
    except FileNotFoundError:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # the name of the file is as durable as what is in it
            finally:
                os.close(folder)
        return
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.getuid():
        path.chmod(0o600)


def _prepare(connection: sqlite3.Connection, end: float) -> None:
    """Set it up, and make the tables where it is new. Raises SpoolFailed for a foreign file."""
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # another process does the same, and SQLite does not wait
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 4194304")
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:
            for statement in _statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    if (found := _version(connection)) != _VERSION:
        raise SpoolFailed(
            f"the spool has the format {found}, and this release reads {_VERSION}; use the release"
            " that wrote it, or another path"
        )


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def _statements() -> Iterator[str]:
    """The schema's statements: a trigger holds semicolons of its own."""
    statement = ""
    for line in _SCHEMA.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
