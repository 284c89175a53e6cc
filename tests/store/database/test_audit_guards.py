"""The audit cannot be rewritten by a statement, and who takes its guards away is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.database.audit_guards import look_at_audit
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.leads import accept_leads, publish_leads
from tests.stores import new_database

_ROW = "(id, at, actor, action) VALUES"

ON_BOTH = (
    "UPDATE audit SET actor = 'nobody'",
    "UPDATE audit SET id = id + 100",
    "DELETE FROM audit",
    f"INSERT INTO audit {_ROW} (1, 1, 'nobody', 'x') ON CONFLICT (id) DO UPDATE SET actor = 'x'",
)
ON_SQLITE = (
    *ON_BOTH,
    f"INSERT OR REPLACE INTO audit {_ROW} (1, 1, 'nobody', 'x')",
    f"REPLACE INTO audit {_ROW} (1, 1, 'nobody', 'x')",
    "REPLACE INTO audit (id, at, actor, action) SELECT id, at, 'nobody', action FROM audit",
    f"INSERT OR IGNORE INTO audit {_ROW} (1, 1, 'nobody', 'x')",
    f"INSERT INTO audit {_ROW} (900, 1, 'nobody', 'x')",
    f"INSERT INTO audit {_ROW} (0, 1, 'nobody', 'x')",
    f"INSERT OR REPLACE INTO audit {_ROW} (-1, 1, 'nobody', 'x')",
    "UPDATE OR REPLACE audit SET id = 2 WHERE id = 1",
)
ON_POSTGRESQL = (
    *ON_BOTH,
    "TRUNCATE audit CASCADE",
    "SET LOCAL session_replication_role = replica; DELETE FROM audit",
    "MERGE INTO audit a USING (SELECT 1) s ON a.id = 1 WHEN MATCHED THEN UPDATE SET actor = 'x'",
)

EMPTIED = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RETURN NULL; END $$
"""


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite with a few rows of the audit."""
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        fill(store)
        yield store


@pytest.fixture
def postgresql(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same on PostgreSQL."""
    with closing(open_store(new_database(request.getfixturevalue("postgres")))) as store:
        fill(store)
        yield store


def fill(store: Store) -> None:
    """A publication and two events."""
    publish_leads(store)
    accept_leads(store, 2)


def execute(store: Store, *statements: str) -> None:
    """Some statements in one transaction."""
    with store.write() as tx:
        for one in statements:
            tx.execute(text(one))


def rows(store: Store) -> list[tuple[object, ...]]:
    """The audit, whole."""
    with store.read() as tx:
        return [tuple(row) for row in tx.execute(text("SELECT * FROM audit ORDER BY id"))]


def faults(store: Store) -> str:
    """What the doctor's look finds, as one text."""
    with store.read() as tx:
        return "; ".join(look_at_audit(tx).faults)


@pytest.mark.parametrize("statement", ON_SQLITE)
def test_no_statement_rewrites_the_audit_on_sqlite(sqlite: Store, statement: str) -> None:
    before = rows(sqlite)

    with pytest.raises(DBAPIError, match="append-only"), sqlite.write() as tx:
        tx.execute(text(statement))

    assert rows(sqlite) == before
    assert faults(sqlite) == ""


@pytest.mark.postgres
@pytest.mark.parametrize("statement", ON_POSTGRESQL)
def test_no_statement_rewrites_the_audit_on_postgresql(postgresql: Store, statement: str) -> None:
    before = rows(postgresql)

    with pytest.raises(DBAPIError, match="append-only"):
        execute(postgresql, *statement.split("; "))

    assert rows(postgresql) == before
    assert faults(postgresql) == ""


@pytest.mark.parametrize(
    "gone", ["audit_no_update", "audit_no_delete", "audit_no_given_id", "audit_no_low_id"]
)
def test_a_guard_that_was_taken_away_is_named(sqlite: Store, gone: str) -> None:
    with sqlite.write() as tx:
        tx.execute(text(f"DROP TRIGGER {gone}"))

    assert faults(sqlite) == f"the guard {gone} is gone"


def test_a_guard_that_does_nothing_any_more_is_found(sqlite: Store) -> None:
    with sqlite.write() as tx:
        tx.execute(text("DROP TRIGGER audit_no_update"))
        tx.execute(
            text("CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END")
        )

    assert faults(sqlite) == "the guard audit_no_update is not as it was made"


def test_a_trigger_of_somebody_else_is_found(sqlite: Store) -> None:
    with sqlite.write() as tx:
        tx.execute(text("CREATE TRIGGER silent BEFORE INSERT ON audit BEGIN SELECT 1; END"))

    assert faults(sqlite) == "silent is not a guard of ours"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("DROP TRIGGER audit_no_change ON audit", "the guard audit_no_change is gone"),
        ("ALTER TABLE audit DISABLE TRIGGER audit_no_change", "not as it was made"),
        (EMPTIED, "not as it was made"),
        ("CREATE RULE quiet AS ON INSERT TO audit DO INSTEAD NOTHING", "the rule quiet"),
    ],
)
def test_a_guard_that_is_off_is_found_on_postgresql(
    postgresql: Store, done: str, said: str
) -> None:
    with postgresql.write() as tx:
        tx.execute(text(done))

    assert said in faults(postgresql)


def test_a_row_that_is_missing_is_counted_and_the_first_is_named(sqlite: Store) -> None:
    with sqlite.write() as tx:
        guard = "SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'"
        made = tx.execute(text(guard)).scalar_one()
        tx.execute(text("DROP TRIGGER audit_no_delete"))
        tx.execute(text("DELETE FROM audit WHERE id = 2"))
        tx.execute(text(made))

    assert "of 5 rows 1 are missing; the first is number 2" in faults(sqlite)


def test_the_last_row_is_missed_too(sqlite: Store) -> None:
    with sqlite.write() as tx:
        made = tx.execute(
            text("SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'")
        ).scalar_one()
        tx.execute(text("DROP TRIGGER audit_no_delete"))
        tx.execute(text("DELETE FROM audit WHERE id = 5"))
        tx.execute(text(made))

    assert "of 5 rows 1 are missing; the first is number 5" in faults(sqlite)


def test_a_transaction_that_is_rolled_back_makes_no_false_hole(store: Store) -> None:
    fill(store)
    with pytest.raises((DBAPIError, StoreUnavailable), match="no_such_table"):
        execute(
            store,
            "INSERT INTO audit (at, actor, action) VALUES (1, 'x', 'x')",
            "SELECT * FROM no_such_table",
        )
    accept_leads(store, 1)

    assert faults(store) == ""


def test_an_event_without_the_row_of_its_acceptance_is_found(store: Store) -> None:
    fill(store)
    with store.write() as tx:
        tx.execute(
            text(
                "INSERT INTO events (id, client, workflow, workflow_id, idempotency_key, digest,"
                " state, epoch, attempt, starts, replays, accepted_at, updated_at)"
                " VALUES ('e9', 'acme', 'leads', 1, 'k', 'd', 'delivered', 1, 0, 0, 0, 1, 1)"
            )
        )

    assert "1 of the newest 100000 events" in faults(store)
