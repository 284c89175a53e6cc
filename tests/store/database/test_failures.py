"""Whatever keeps a database from being used is one kind of error; a wrong statement is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy.exc import DBAPIError

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.store.pooler import Pooler, pooled
from tests.stores import new_database


def say(store: Store, statement: str) -> None:
    with store.write() as tx:
        tx.exec_driver_sql(statement)


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture
def on_postgresql(postgres: EmbeddedServer) -> Iterator[Store]:
    store = open_store(new_database(postgres))
    yield store
    store.close()


def fill(store: Store) -> None:
    with store.read() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1")
    say(store, f"CREATE TABLE more AS SELECT '{'x' * 100_000}' AS text")


def drop(store: Store) -> None:
    say(store, "DROP TABLE recipes")
    say(store, "SELECT * FROM recipes")


def overwrite(store: Store) -> None:
    store.close()
    path = Path(store.url.database or "")
    for file in path.parent.glob(f"{path.name}-*"):
        file.unlink()
    path.write_bytes(b"no database at all, " * 500)
    say(store, "SELECT * FROM recipes")


def forbid_writing(store: Store) -> None:
    with store.read() as tx:
        tx.exec_driver_sql("PRAGMA query_only = ON")
    say(store, "DELETE FROM recipes")


SQLITE = {
    "it is full": fill,
    "it is read-only": forbid_writing,
    "a table is gone": drop,
    "it is not a database": overwrite,
}


@pytest.mark.parametrize("fault", SQLITE)
def test_a_sqlite_that_cannot_be_used_is_unavailable(on_sqlite: Store, fault: str) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        SQLITE[fault](on_sqlite)

    reasons = {"it is full": "full", "it is read-only": "read-only", "a table is gone": "lacks"}
    assert reasons.get(fault, "cannot be read") in raised.value.reason
    assert "\n" not in str(raised.value)


def test_a_sqlite_that_somebody_else_holds_is_busy(
    on_sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.database.engine._WRITER_PATIENCE_SECONDS", 0)
    other = sqlite3.connect(on_sqlite.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable) as raised:
        say(on_sqlite, "DELETE FROM recipes")

    other.close()
    assert raised.value.reason == "the store is busy"


def test_a_statement_that_is_wrong_is_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(DBAPIError):
        say(store, "SELEKT 1")
    with pytest.raises(DBAPIError):
        say(store, "INSERT INTO alembic_version VALUES (NULL)")


def _in_a_read_only_transaction(store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("SET TRANSACTION READ ONLY")
        tx.exec_driver_sql("DELETE FROM recipes")


def _without_the_right(store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("CREATE ROLE nobody_at_all")
        tx.exec_driver_sql("SET LOCAL ROLE nobody_at_all")
        tx.exec_driver_sql("SELECT * FROM recipes")


def _cut(store: Store) -> None:
    say(store, "SELECT pg_terminate_backend(pg_backend_pid())")


def _longer_than_allowed(store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("SET LOCAL statement_timeout = 1")
        tx.exec_driver_sql("SELECT pg_sleep(5)")


def _crowded(store: Store) -> None:
    say(store, "DO $$ BEGIN RAISE EXCEPTION 'too many' USING ERRCODE = '53300'; END $$")


def _full(store: Store) -> None:
    say(store, "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$")


POSTGRESQL: dict[str, tuple[Callable[[Store], None], str]] = {
    "it is read-only": (_in_a_read_only_transaction, "read-only"),
    "a right is missing": (_without_the_right, "refuses"),
    "a table is gone": (drop, "lacks"),
    "it ends the connection": (_cut, "does not answer"),
    "it allows less time": (_longer_than_allowed, "busy"),
    "it takes no more connections": (_crowded, "no more connections"),
    "its disk is full": (_full, "full"),
}


@pytest.mark.parametrize("fault", POSTGRESQL)
def test_a_postgresql_that_cannot_be_used_is_unavailable(on_postgresql: Store, fault: str) -> None:
    breaks, reason = POSTGRESQL[fault]

    with pytest.raises(StoreUnavailable) as raised:
        breaks(on_postgresql)

    assert reason in raised.value.reason
    assert "\n" not in str(raised.value)


@pytest.fixture
def pooler(postgres: EmbeddedServer) -> Iterator[Pooler]:
    """A transaction pooler of two servers before an empty database."""
    place = urlsplit(new_database(postgres))
    with pooled(place) as running:
        yield running


def test_behind_a_transaction_pooler_every_statement_finds_its_server(pooler: Pooler) -> None:
    store = open_store(pooler.url)

    for number in range(40):  # psycopg would prepare a statement at its sixth run
        with store.write() as tx, store.read() as other:
            found = tx.exec_driver_sql("SELECT count(*) FROM recipes WHERE 1 = %s", (number,))
            assert found.scalar_one() == 0
            other.exec_driver_sql("SELECT count(*) FROM recipes WHERE 1 = %s", (number,))
    store.close()

    assert pooler.prepared == 0


def test_behind_a_pooler_nobody_listens_on_a_server_that_others_use(pooler: Pooler) -> None:
    store = open_store(pooler.url)

    assert not store.bell.wait(0.01)
    assert not store.bell.wait(0.01)
    store.close()

    assert pooler.listened == 0


def test_on_a_direct_connection_statements_are_prepared(on_postgresql: Store) -> None:
    with on_postgresql.read() as tx:
        driver = tx.connection.driver_connection

    assert driver is not None and driver.prepare_threshold == 5
