"""A database of an older release is brought up to date with all that it holds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import orchestrator.store
from orchestrator.store.engine import Store
from orchestrator.store.migrate import open_store, schema_version
from orchestrator.store.schema import HEAD

MIGRATIONS = Path(orchestrator.store.__file__).parent / "migrations"

ROWS = """
INSERT INTO workflow_versions (client, name, version, trigger_type, definition, digest, live,
    published_at, published_by)
VALUES ('acme', 'leads', 1, 'lead.created', '{}', 'd', true, 1, 'cli:tester');

INSERT INTO events (id, client, workflow, workflow_id, idempotency_key, digest, state, epoch,
    attempt, starts, replays, accepted_at, updated_at)
VALUES ('e1', 'acme', 'leads', 1, 'k', 'd', 'delivered', 1, 0, 0, 0, 1, 1);

INSERT INTO deliveries (event_id, destination, connector, action, send, confirm, state, attempt,
    unknown, record_id, updated_at)
VALUES ('e1', 'crm', 'fake', 'record', '{}', '[]', 'confirmed', 1, false, 'r-1', 1)
"""


def older(url: str, revision: str) -> None:
    """Make the database as an older release left it, with one delivered event."""
    with closing(Store(url)) as store, store.write() as tx:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
        for row in ROWS.split(";"):
            tx.execute(text(row))


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_deliveries_of_an_older_release_are_as_they_were(store_url: str, revision: str) -> None:
    older(store_url, revision)

    with closing(open_store(store_url)) as store, store.read() as tx:
        assert schema_version(tx) == HEAD
        row = tx.execute(text("SELECT * FROM deliveries")).one()
    assert (row.state, row.record_id) == ("confirmed", "r-1")
    assert (row.held_by, bool(row.undo), row.generation) == (None, False, 0)
