"""One Flower over a store of two clients, for all tests of pages that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower, running_flower


@pytest.fixture(scope="session")
def desk(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[tuple[RunningFlower, Peopled]]:
    """Flower, and what its store has."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        peopled = people(store)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower, peopled
