"""Waking the relay at once: a bell beside the store, so that nobody has to poll fast.

A ring may get lost; the relay looks by itself every `poll_seconds`. On PostgreSQL the bell is
NOTIFY, sent within the transaction; on SQLite a datagram to each waiting relay of this machine.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from orchestrator.starting import make_private

_CHANNEL = "meshline_due"


class Bell(Protocol):
    """One seam, two ways to ring it."""

    def ring_with(self, tx: Connection) -> None:
        """Ring when this transaction commits."""

    def ring(self) -> None:
        """Ring after a commit."""

    def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most `seconds`; whether one came."""

    def close(self) -> None:
        """Stop listening."""


def open_bell(url: URL) -> Bell:
    """The bell that belongs to a database."""
    return SocketBell(url) if url.get_backend_name() == "sqlite" else NotifyBell(url)


class SocketBell:
    """Unix datagrams in a folder of its own, named by the database file."""

    def __init__(self, url: URL) -> None:
        name = hashlib.sha256(str(Path(url.database or "").resolve()).encode()).hexdigest()[:16]
        # Not beside the database: the path of a Unix socket holds about 100 bytes.
        self._folder = Path(tempfile.gettempdir()) / f"meshline-{os.getuid()}-{name}"
        self._listener: socket.socket | None = None
        self._path: Path | None = None
        self._ears: tuple[float, list[str]] = (0.0, [])

    def ring_with(self, tx: Connection) -> None:
        """Nothing: a datagram before the commit would come too early."""

    def ring(self) -> None:
        """Send a datagram to every relay that listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.setblocking(False)
            for ear in self._listening():
                try:
                    speaker.sendto(b"!", ear)
                except BlockingIOError:
                    pass  # its buffer is full of rings already
                except OSError:
                    self._ears = (0.0, [])

    def wait(self, seconds: float) -> bool:
        """Wait for a datagram, and take all that lie there."""
        try:
            listener = self._listener or self._listen()
        except OSError:  # a folder for temporary files that is full, or too long for a socket
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([listener], [], [], seconds)
        while ready:
            try:
                listener.recv(16)
            except BlockingIOError:
                break
        return bool(ready)

    def close(self) -> None:
        """Take the socket away."""
        if self._listener:
            self._listener.close()
            self._listener = None
        if self._path:
            self._path.unlink(missing_ok=True)

    def _listening(self) -> list[str]:
        read_at, ears = self._ears
        if time.monotonic() - read_at > 1.0 or not ears:
            ears = [str(one) for one in self._folder.glob("*.bell")]
            self._ears = (time.monotonic(), ears)
        return ears

    def _listen(self) -> socket.socket:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        make_private(self._folder)
        for stale in self._folder.glob("*.bell"):
            if not _alive(int(stale.stem)):
                stale.unlink(missing_ok=True)
        self._path = self._folder / f"{os.getpid()}.bell"
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.setblocking(False)
        self._listener.bind(str(self._path))
        return self._listener


class NotifyBell:
    """LISTEN and NOTIFY of PostgreSQL, on a connection of its own."""

    def __init__(self, url: URL) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: Any = None
        self._pooled = False

    def ring_with(self, tx: Connection) -> None:
        """Notify when the transaction commits."""
        tx.exec_driver_sql(f"NOTIFY {_CHANNEL}")

    def ring(self) -> None:
        """Nothing: the transaction has notified."""

    def wait(self, seconds: float) -> bool:
        """Wait for a notification; a lost connection is opened again.

        Behind a pooler none comes: what listens there is a server that this process shares.
        """
        import psycopg

        if self._pooled:
            time.sleep(seconds)
            return False
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._address, autocommit=True, connect_timeout=3
                )
                if is_pooled(self._connection):
                    self._pooled = True
                    self.close()
                    return False
                self._connection.execute(f"LISTEN {_CHANNEL}")
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                return True
        except psycopg.Error:
            self.close()
            time.sleep(min(seconds, 1.0))
        return False

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_pooled(connection: Any) -> bool:
    """Whether a pooler is before PostgreSQL: it gives a process number of its own."""
    (server,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(server != connection.info.backend_pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
