"""A Flower over a store in which there are people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.access.desk import Somebody, add_people, somebody
from tests.dashboard.rig import RunningFlower, running_flower


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with an admin, and with Ada and Ben, who operate."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('people') / 'store.db'}")
    add_people(store, ada="Ada <b>Lovelace</b> {{ 7 * 7 }}", ben="Ben")
    yield store
    store.close()


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, people: Store, valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """Flower, to which they log in."""
    folder = tmp_path_factory.mktemp("desk")
    url = people.url.render_as_string(hide_password=False)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower


@pytest.fixture
def browsing(desk: RunningFlower) -> Iterator[Somebody]:
    """A browser that holds nothing."""
    with somebody(desk) as one:
        yield one


@pytest.fixture
def ada(browsing: Somebody, people: Store) -> Somebody:
    """Ada, who has logged in."""
    browsing.come_in(people, "ada@acme.example")
    return browsing
