"""A reader of telemetry for tests: it keeps what was emitted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar, get_args

from orchestrator.telemetry import TelemetryEvent, reading

Kind = TypeVar("Kind")


class Seen:
    """Everything that was emitted, in order."""

    reads: Collection[type[TelemetryEvent]] = get_args(TelemetryEvent)

    def __init__(self) -> None:
        self.events: list[TelemetryEvent] = []

    def read(self, event: TelemetryEvent) -> None:
        """Keep it."""
        self.events.append(event)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Those of one kind."""
        return [one for one in self.events if isinstance(one, kind)]


@contextmanager
def seeing() -> Iterator[Seen]:
    """What is emitted in the block."""
    seen = Seen()
    with reading(seen):
        yield seen
