"""A Flower over a client whose changes somebody approves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.access.desk import Somebody, somebody
from tests.dashboard.rig import RunningFlower, running_flower
from tests.store.changes.governed import govern

LINK_KEY = "a-key-of-signed-links"


@dataclass(frozen=True, kw_only=True)
class Governed:
    """The desk, its store, and the way in for a person."""

    flower: RunningFlower
    store: Store

    def come(self, browser: Somebody, mail: str) -> Somebody:
        """A browser in which this person has logged in."""
        browser.come_in(self.store, mail)
        return browser


@pytest.fixture(scope="package")
def governed(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[Governed]:
    """Flower over acme, whose leads have an author, their approver and a second approver."""
    folder: Path = tmp_path_factory.mktemp("governed")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        govern(store)
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield Governed(flower=flower, store=store)


@pytest.fixture
def one(governed: Governed) -> Iterator[Somebody]:
    """A browser that holds nothing."""
    with somebody(governed.flower) as browser:
        yield browser


@pytest.fixture
def other(governed: Governed) -> Iterator[Somebody]:
    """A second one."""
    with somebody(governed.flower) as browser:
        yield browser
