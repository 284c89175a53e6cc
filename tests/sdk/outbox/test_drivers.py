"""An outbox by the drivers that the other tests do not use, where they are installed."""

from __future__ import annotations

import importlib
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from meshline import MeshlineError, Producer, outbox
from meshline.outbox import Forwarder
from meshline.testing import RecordingTransport
from tests.sdk.outbox.apps import rows, run


def opened(driver: Any, url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme == "postgresql":
        return driver.connect(url)
    return driver.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
    )


@pytest.mark.parametrize(
    ("app_url", "name"),
    [("postgresql", "psycopg2"), ("mariadb", "MySQLdb")],
    indirect=["app_url"],
)
def test_events_are_kept_and_forwarded_by_another_driver(app_url: str, name: str) -> None:
    driver = pytest.importorskip(name, reason=f"the driver {name} is not installed")
    with closing(opened(driver, app_url)) as connection:
        outbox.add(connection, "a", {"né": 1}, idempotency_key="100%", aggregate=("x", 1))
        connection.rollback()
        outbox.add(connection, "a", {"né": 2}, idempotency_key="50%", aggregate=("x", 1))
        connection.commit()
        if name == "psycopg2":
            connection.autocommit = True
        else:
            connection.autocommit(True)
        with pytest.raises(MeshlineError, match="no transaction is open"):
            outbox.add(connection, "a", {"né": 3})
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        outbox.add(connection, "a", {"né": 4}, idempotency_key="100%", aggregate=("x", 1))
        cursor.execute("COMMIT")
    door = RecordingTransport(types=["a"])
    outbox_url = app_url.replace("://", f"+{name.lower()}://", 1)

    with closing(outbox.Database(outbox_url)) as database:
        table = outbox.OutboxTable(database)
        forwarder = Forwarder(table, Producer("http://door.example", key="k", transport=door))
        assert forwarder.forward().sent == 2
        run(app_url, "INSERT INTO meshline_outbox (aggregatetype, aggregateid, type, payload)"
            " VALUES ('x', '1', 'unknown', '{}')")  # fmt: skip
        assert forwarder.forward().refused == 1
        (refused,) = table.listed(9, refused=True)
        assert table.drop([refused.id], by="ada", why="50% wrong") == 1
        assert (table.status().waiting, table.backlog().refused) == (0, 0)
        assert importlib.import_module(name) is database._driver

    assert [(one.data, one.idempotency_key) for one in door.events] == [
        ({"né": 2}, "50%"),
        ({"né": 4}, "100%"),
    ]
    assert rows(app_url) == []
