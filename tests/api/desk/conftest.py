"""A door before a store with a story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.desk.stories import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A door, and what it serves."""
    with open_desk(tmp_path) as opened:
        yield opened
