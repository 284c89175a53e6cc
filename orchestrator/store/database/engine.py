"""Opening the store: one code path for SQLite and PostgreSQL, transactions with one error."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from orchestrator.domain.errors import StartupFailed, StoreUnavailable
from orchestrator.store.database.bell import Bell, is_pooled, open_bell
from orchestrator.store.database.failures import unavailable
from orchestrator.telemetry import TelemetryEvent, emit

AnyRow = Row[*tuple[Any, ...]]

Tx = Connection
"""An open transaction, as those who only pass it on call it."""

Result = TypeVar("Result")

_WRITER_PATIENCE_SECONDS = 30
_PAUSE_SECONDS = 0.5  # before a database that did not answer is asked again
_READ_ONLY = {"meshline_read_only": True}
_AFTER_COMMIT = "meshline_after_commit"


@dataclass(kw_only=True)
class _AfterCommit:
    """What a transaction asked for, to be done when it has committed."""

    ring: bool = False  # the relay is to wake: something became due, or a group ended
    telemetry: list[TelemetryEvent] = field(default_factory=list)


class Store:
    """The database and the bell that wakes the relay. Safe to share between threads, not over fork.

    Raises StoreUnavailable from `read` and `write` when the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self._reader = self.engine.execution_options(**_READ_ONLY)
        if not self.is_sqlite:  # spares two round trips
            self._reader = self._reader.execution_options(isolation_level="AUTOCOMMIT")
        self.bell: Bell = open_bell(self.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self, *, ring: bool = False, large: bool = False) -> Iterator[Connection]:
        """One transaction that commits at the end of the block, or leaves nothing.

        `ring` wakes the relay, because the transaction made something due. After a `large` one,
        which fills SQLite's cache with pages that nobody will ask for, the cache is emptied.
        """
        after = _AfterCommit(ring=ring)
        with _translated():
            with self.engine.connect() as tx:
                tx.info[_AFTER_COMMIT] = after
                with tx.begin():
                    yield tx
                    if after.ring:
                        self.bell.ring_with(tx)
                if large and self.is_sqlite and (driver := tx.connection.driver_connection):
                    driver.execute("PRAGMA shrink_memory")
            if after.ring:
                self.bell.ring()
        for one in after.telemetry:  # the connection is given back: no reader keeps it
            emit(one)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look that keeps no writer waiting; on PostgreSQL each statement looks anew."""
        with _translated(), self._reader.connect() as connection, connection.begin():
            yield connection

    def write_patiently(self, work: Callable[[Connection], Result], *, until: float) -> Result:
        """What `work` answers, done in one transaction that commits.

        Where the database does not answer it is done again, `until` that moment of
        `time.monotonic`. A commit whose answer was lost may be done twice: it must count once.
        """

        def once() -> Result:
            with self.write() as tx:
                return work(tx)

        return _patiently(once, until)

    def read_patiently(self, work: Callable[[Connection], Result], *, until: float) -> Result:
        """What `work` finds in one look; repeated `until` then, as in `write_patiently`."""

        def once() -> Result:
            with self.read() as tx:
                return work(tx)

        return _patiently(once, until)

    def empty_log(self, *, seconds: float) -> bool:
        """Bring SQLite's write-ahead log into the file and empty it; False where others read on."""
        end = time.monotonic() + seconds
        with _translated(), closing(self.engine.raw_connection()) as connection:
            while True:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if row is None or not row[0]:
                    return True
                if time.monotonic() > end:
                    return False
                time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Give connections back."""
        self.bell.close()
        self.engine.dispose()


def emit_after_commit(tx: Connection, event: TelemetryEvent) -> None:
    """Emit when the transaction has committed; never, where it leaves nothing."""
    after = tx.info.get(_AFTER_COMMIT)
    if after is not None:  # else it was not begun by a Store
        after.telemetry.append(event)


def ring_after_commit(tx: Connection) -> None:
    """Wake the relay when the transaction has committed."""
    tx.info[_AFTER_COMMIT].ring = True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if found := unavailable(error):
            raise found from error
        raise


def _patiently(work: Callable[[], Result], until: float) -> Result:
    while True:
        try:
            return work()
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE_SECONDS)


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StartupFailed("MESHLINE_DATABASE_URL is not a database address") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise StartupFailed(
        f"MESHLINE_DATABASE_URL names {backend!r}; write postgresql://… or sqlite:///…"
    )


def _sqlite(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,  # they are payloads: no log may hold them
            connect_args={"timeout": _WRITER_PATIENCE_SECONDS, "isolation_level": None},
        )
    except NoSuchModuleError as error:  # pragma: no cover - the standard library has it
        raise StartupFailed(str(error)) from None

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit is on the disk before the door answers
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "secure_delete=ON",  # what is erased is written over, also in builds that leave it
            "cache_size=-65536",
            "wal_autocheckpoint=4000",
            "busy_timeout=2",  # `_begin` does the waiting
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver would begin late and upgrade a reader to a writer, which fails at once when
        # another writer was there first.
        if connection.get_execution_options().get("meshline_read_only"):
            connection.exec_driver_sql("BEGIN")
        else:
            _wait_for_turn(connection.connection.driver_connection)

    return engine


def _wait_for_turn(connection: Any) -> None:
    """Begin as the only writer.

    SQLite's own wait sleeps longer each time, up to 100 ms: who has waited long finds others before
    him again and again, and the disk idle.
    """
    end = time.monotonic() + _WRITER_PATIENCE_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        else:
            return


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 3,
            "application_name": "meshline",
            # A peer that is gone without a word is found out in seconds, not in hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # A pooler may run each transaction on another server, where a statement that was prepared
        # is not known, or is another's.
        if is_pooled(connection):
            connection.prepare_threshold = None
        connection.rollback()

    return engine
