"""A whole system that stories of leads are told with, once on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.system import System, running_system
from tests.integration.test_crashes import publish, take_quick_connectors


@pytest.fixture
def system(tmp_path: Path, store_url: str) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, store_url) as running:
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running
