"""What every test starts from: no settings of the outside world, and stores of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.valkey import embedded_valkey
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.servers.mariadb import embedded_mariadb
from tests.servers.postgres import FORGETFUL, embedded_postgres
from tests.stores import drop_database, make_file, new_database

for name in [name for name in os.environ if name.startswith("MESHLINE_")]:
    del os.environ[name]
for name in ("COLUMNS", "LINES"):  # a test run of several processes sets them for each
    os.environ.pop(name, None)

SHARED = Path(__file__).parents[2] / "shared"
"""Recorded inputs and real systems, where this checkout is beside them."""


pytest_plugins = ("tests.places", "tests.account")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """One PostgreSQL server for the whole run."""
    with embedded_postgres(FORGETFUL) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[EmbeddedServer]:
    """One MariaDB server for the whole run."""
    with embedded_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One Valkey server for the whole run."""
    with embedded_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database, once of each kind; empty, or with a schema for `store`."""
    migrated = "store" in request.fixturenames
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = new_database(server, migrated=migrated)
        yield url
        drop_database(server, url)
        return
    if migrated:
        make_file(tmp_path / "store.db")
    yield f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open, empty store, once of each kind."""
    opened = open_store(store_url)
    yield opened
    opened.close()
