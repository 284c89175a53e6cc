"""The outbox's page: its example works, and its table lists the columns that there are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

from meshline import outbox
from meshline.outbox import Forwarder
from meshline.testing import RecordingTransport
from tests.house.pages import blocks, marked, rows_of
from tests.sdk.outbox.apps import run

PAGE = "docs/reference/outbox.md"


def test_every_column_is_on_the_page() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in outbox.ddl("sqlite"):
            connection.execute(statement)
        found = connection.execute("SELECT name FROM pragma_table_info('meshline_outbox')")
        columns = [name for (name,) in found]

    assert [name for row in rows_of(PAGE, "The table") for name in marked(row[0])] == columns


def test_one_insert_of_any_language_is_right_on_every_database(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    (shown,) = blocks("docs/howto/send/another-language.md", "sql")
    run(app_url, shown)

    assert forwarder.forward().sent == 1
    (event,) = door.events
    assert (event.idempotency_key, event.type, event.client) == ("lead-17", "lead.created", "acme")
    assert event.data == {"email": "bo@example.com", "tier": "enterprise"}


def test_the_pages_example_keeps_the_lead_and_its_event_together() -> None:
    (shown,) = blocks(PAGE, "python")
    named: dict[str, Any] = {}
    exec(compile(shown, PAGE, "exec"), named)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE leads (id integer PRIMARY KEY, email text)")
        for statement in outbox.ddl("sqlite"):
            connection.execute(statement)

        named["keep"](connection, 7, "ada@example.com")

        kept = connection.execute("SELECT id, aggregateid, payload FROM meshline_outbox").fetchone()
        assert connection.execute("SELECT id FROM leads").fetchall() == [(7,)]
        assert not connection.in_transaction

    assert (kept[0], kept[1]) == ("lead-7", "7")
    assert json.loads(kept[2]) == {"email": "ada@example.com", "tier": "pro"}
