"""The schema: migrations make it, the audit keeps itself, a newer one is refused."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orchestrator.domain.errors import SchemaMismatch, StoreUnavailable
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store, schema_version
from orchestrator.store.database.schema import HEAD, add_postgresql_options, metadata
from tests.leads import accept_leads, publish_leads


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    add_postgresql_options()
    with store.read() as tx:
        assert schema_version(tx) == HEAD
        ours = {"compare_type": True, "include_object": _is_table if store.is_sqlite else None}
        context = MigrationContext.configure(tx, opts=ours)
        assert compare_metadata(context, metadata) == []


def _is_table(_one: object, name: str | None, _kind: str, *_: object) -> bool:
    """Whether it is one: SQLite cannot say how a virtual table and what is behind it are made."""
    return "quarantine_words" not in str(name)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_audit_refuses_to_be_changed(store: Store, statement: str) -> None:
    publish_leads(store)
    accept_leads(store, 1)

    with pytest.raises(DBAPIError, match="append-only"), store.write() as tx:
        tx.execute(text(statement))


def test_a_database_of_a_newer_release_is_refused_in_one_sentence(store: Store) -> None:
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    address = store.url.render_as_string(hide_password=False)

    with pytest.raises(SchemaMismatch, match=r"schema 9999.*newer release"):
        open_store(address)


def test_a_store_that_is_not_there_says_so(tmp_path: object) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer"):
        open_store("postgresql://nobody@127.0.0.1:1/none")
