"""One clock for databases and processes alike, which moves only when the story says so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, text

from orchestrator.store.database.engine import Store

_START_MS = 1_800_000_000_000
_UNIX_DAY = 2_440_587.5


class ModelClock:
    """The time; it also replaces the module `time` where processes measure their budgets."""

    def __init__(self) -> None:
        self.ms = _START_MS
        self._store: Store | None = None

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += int(seconds * 1000)
        self._tell_server()

    def monotonic(self) -> float:
        """What a process reads."""
        return self.ms / 1000

    def time(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Who waits, waits for everybody: meanwhile nothing else happens."""
        self.advance(seconds)

    def rule(self, store: Store) -> None:
        """Make this the clock of a store, too."""
        self._store = store
        if store.is_sqlite:
            event.listen(store.engine, "connect", self._connected)
        self._tell_server()

    def _connected(self, connection: Any, _record: Any) -> None:
        connection.create_function("julianday", 1, lambda _: _UNIX_DAY + self.ms / 86_400_000)
        connection.execute("PRAGMA synchronous=OFF")  # no power fails here

    def _tell_server(self) -> None:
        if self._store is not None and not self._store.is_sqlite:
            with self._store.engine.begin() as tx:
                tx.execute(text("UPDATE model.clock SET ms = :ms"), {"ms": self.ms})


SERVER_CLOCK = (
    "CREATE SCHEMA model",
    "CREATE TABLE model.clock (ms BIGINT NOT NULL)",
    "INSERT INTO model.clock VALUES (0)",
    # Named before pg_catalog in the search path, it takes the place of the server's own.
    """CREATE FUNCTION model.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
    AS 'SELECT to_timestamp(ms / 1000.0) FROM model.clock'""",
)
SEARCH_PATH = "public, model, pg_catalog"
