"""Flower's heartbeat: its own loop asks for it, so that it falls silent when that hangs."""

from __future__ import annotations

from tornado.ioloop import PeriodicCallback

from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.heartbeats import BEAT_SECONDS, ProcessKind
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.heartbeats import Pulse


class Heart:
    """Asks for a beat every few seconds, once Flower's loop runs."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._pulse: Pulse | None = None
        self._timer = PeriodicCallback(lambda: reader.beat(self._beat), BEAT_SECONDS * 1000)

    def start(self) -> None:
        """Begin, in the loop that runs now."""
        self._timer.start()

    def stop(self) -> None:
        """End, and take the row away."""
        self._timer.stop()
        if self._pulse is not None:
            self._pulse.end()

    def _beat(self, store: Store) -> None:
        if self._pulse is None:
            self._pulse = Pulse(store, ProcessKind.FLOWER, longest_turn_seconds=0)
        self._pulse.beat("it shows pages")
