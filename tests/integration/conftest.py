"""A whole system that stories of leads are told with, on each pair of store and broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.rabbitmq import embedded_rabbitmq
from tests.integration.pairs import PAIRS, Pair, empty_broker_on
from tests.integration.system import System, running_system
from tests.integration.test_crashes import publish, take_quick_connectors
from tests.stores import new_database


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One RabbitMQ server for the whole run."""
    with embedded_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    """Store and broker, empty, once of each kind."""
    store, broker = request.param.split("+")
    if store == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres"), migrated=True)
    if broker == "valkey":
        return Pair(store_url=url)
    return Pair(store_url=url, broker=empty_broker_on(request.getfixturevalue("rabbitmq")))


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running
