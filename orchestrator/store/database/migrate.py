"""Bringing a database to this release's schema, and refusing one that is newer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from orchestrator.domain.errors import SchemaMismatch, StartupFailed
from orchestrator.starting import make_private
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import HEAD

_BESIDE = ("-wal", "-shm", "-journal")
_VERSION = "SELECT version_num FROM alembic_version"
_LOCK = 0x6D657368  # any number that is ours: two processes that start together take turns


def open_store(url: str) -> Store:
    """The store, its schema current. Raises StoreUnavailable, SchemaMismatch, StartupFailed."""
    store = Store(url)
    if store.is_sqlite and store.url.database not in (None, "", ":memory:"):
        try:
            Path(store.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartupFailed(f"the store's folder cannot be made: {error}") from None
        _keep_private(Path(store.url.database))
    try:
        if not _is_current(store):
            _upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def _keep_private(database: Path) -> None:
    """See that only its user reads the database, whatever the folder and the umask allow."""
    if str(database).startswith("file:"):  # SQLite's own way to name files
        return
    # Never opened where it is there: to close it would end the locks of this process. What SQLite
    # puts beside it gets its rights.
    with suppress(OSError):
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    make_private(database, *(database.with_name(database.name + end) for end in _BESIDE))


def _is_current(store: Store) -> bool:
    """Whether the schema is this release's; asked without looking first whether it has a version.

    Nothing has to be loaded for it. On PostgreSQL a look is a statement by itself, which may fail.
    """
    with store.read() as tx:
        try:
            return tx.exec_driver_sql(_VERSION).scalar() == HEAD
        except DatabaseError as error:
            if error.connection_invalidated:
                raise
            return False  # it has no version yet


def schema_version(tx: Connection) -> str | None:
    """The database's schema version; None where it has none yet."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(text(_VERSION)).scalar_one_or_none()


def _upgrade(store: Store) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its plugins, one by one
    config = Config()
    # A % is an escape to the parser that Alembic keeps its options in.
    place = str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    config.set_main_option("script_location", place)
    known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    with _alone(store) as tx:
        found = schema_version(tx)
        if found is not None and found not in known:
            raise SchemaMismatch(
                f"the database has schema {found}, this release knows up to {HEAD}:"
                " run the newer release of Meshline that made it"
            )
        config.attributes["connection"] = tx
        command.upgrade(config, "head")


@contextmanager
def _alone(store: Store) -> Iterator[Connection]:
    with store.write() as tx:  # on SQLite this is the only writer already
        if not store.is_sqlite:
            tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield tx
