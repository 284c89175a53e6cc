"""Databases of applications, one of each kind, and a door in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshline import Producer
from meshline.outbox import Forwarder, OutboxTable
from meshline.testing import RecordingTransport
from tests.sdk.outbox.apps import new_mysql_database, opened, prepare
from tests.stores import drop_database, new_database


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def app_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an application's database, once of each kind, with an outbox in it."""
    if request.param == "sqlite":
        (tmp_path / "app.db").touch()
        url = f"sqlite:///{tmp_path / 'app.db'}"
    elif request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres"))
    else:
        url = new_mysql_database(request.getfixturevalue("mariadb").url)
    prepare(url)
    yield url
    if request.param == "postgresql":
        drop_database(request.getfixturevalue("postgres"), url)


@pytest.fixture
def table(app_url: str) -> Iterator[OutboxTable]:
    """The outbox of that application."""
    with opened(app_url) as table:
        yield table


@pytest.fixture
def door() -> RecordingTransport:
    """A door in memory."""
    return RecordingTransport()


@pytest.fixture
def forwarder(table: OutboxTable, door: RecordingTransport) -> Forwarder:
    """A forwarder from that outbox to that door."""
    return Forwarder(table, Producer("http://door.example", key="test", transport=door))
