"""A whole system that stories of leads are told with, on each pair of store and broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from tests.integration.pairs import ENDS, PAIRS, Pair, empty_broker_on
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.servers.rabbitmq import embedded_rabbitmq
from tests.stores import drop_database, new_database


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One RabbitMQ server for the whole run."""
    with embedded_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


def empty_pair(kind: str, folder: Path, request: pytest.FixtureRequest) -> Pair:
    """Store and broker of a kind, with nothing in them."""
    store, broker = kind.split("+")
    if store == "sqlite":
        url = f"sqlite:///{folder / 'store.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres"), migrated=True)
    if broker == "valkey":
        return Pair(store_url=url)
    return Pair(store_url=url, broker=empty_broker_on(request.getfixturevalue("rabbitmq")))


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Store and broker, empty, once of each kind."""
    made = empty_pair(request.param, tmp_path, request)
    yield made
    if made.store_url.startswith("postgresql"):
        drop_database(request.getfixturevalue("postgres"), made.store_url)


@pytest.fixture(scope="module", params=ENDS)
def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """One whole system for all the stories of a file, once on each store and each broker."""
    folder = tmp_path_factory.mktemp("standing")
    home = folder / "home"
    with running_system(home, empty_pair(request.param, folder, request)) as running:
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running


@pytest.fixture
def system(standing: System) -> System:
    """The file's system. A story that kills or stops a part of one starts its own."""
    standing.begin_story()
    return standing
