"""One Flower over one filled store, for all tests that only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import running_browser
from tests.dashboard.filled import Filled, fill
from tests.dashboard.rig import RunningFlower, running_flower


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Filled]:
    """The address of a store in which something has happened, and the ids of its events."""
    url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'store.db'}"
    store = open_store(url)
    filled = fill(store)
    store.close()
    return url, filled


@pytest.fixture(scope="session")
def filled(filled_store: tuple[str, Filled]) -> Filled:
    """The ids of the events that Flower shows."""
    return filled_store[1]


@pytest.fixture(scope="session")
def flower(
    tmp_path_factory: pytest.TempPathFactory,
    filled_store: tuple[str, Filled],
    valkey: EmbeddedServer,
) -> Iterator[RunningFlower]:
    """Flower over the filled store; no worker is there."""
    folder = tmp_path_factory.mktemp("flower")
    with running_flower(folder, store_url=filled_store[0], broker_url=valkey.url) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a page."""
    with running_browser() as running:
        yield running
