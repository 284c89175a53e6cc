"""A door before a store on SQLite with the leads' workflow live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, leads_store, open_door


@pytest.fixture
def leads(tmp_path: Path) -> Iterator[Store]:
    """A store in which the workflow of leads is live."""
    with leads_store(tmp_path) as store:
        yield store


@pytest.fixture
def door(leads: Store) -> Iterator[RunningDoor]:
    """A door before it."""
    with open_door(leads) as opened:
        yield opened
