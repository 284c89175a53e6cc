"""Producers with a spool, before a door that can be down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from meshline import Producer
from meshline.spool import Spool
from meshline.testing import RecordingTransport

MakeProducer = Callable[..., Producer]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.spool"


@pytest.fixture
def door() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
def spooling(door: RecordingTransport, path: Path) -> Iterator[MakeProducer]:
    """Makes producers with the one spool; they forward when a test says flush."""
    made: list[Producer] = []

    def make(**options: Any) -> Producer:
        given = {"forward": False, "attempts": 1, "spool": path, "transport": door, **options}
        made.append(Producer("http://door.example", key="k", **given))
        return made[-1]

    yield make
    for producer in made:
        producer.close()


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    found = Spool(path)
    yield found
    found.close()
