"""What is done about requests that are not proven: counted, and told at most once a minute."""

from __future__ import annotations

from time import monotonic

from orchestrator.api.aside import Aside
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.sources.source import Source
from orchestrator.operations.note_bad_signatures import note_bad_signatures
from orchestrator.store.database.engine import Store

_TOLD_SECONDS = 60.0


class Refusals:
    """How many requests of each source were refused since that was last written down.

    Anybody can send one, so the store is written to at most once a minute for a source.
    """

    def __init__(self, store: Store, looks: Aside) -> None:
        self._store = store
        self._looks = looks
        self._counts: dict[str, int] = {}
        self._told: dict[str, float] = {}

    async def note(self, source: Source) -> None:
        """Count one more, and write it down where that is due."""
        name = source.name
        self._counts[name] = self._counts.get(name, 0) + 1
        if monotonic() < self._told.get(name, 0.0):
            return
        self._told[name] = monotonic() + _TOLD_SECONDS
        count = self._counts.pop(name)
        try:
            await self._looks.run(note_bad_signatures, self._store, source, count)
        except StoreUnavailable:
            self._counts[name] = self._counts.get(name, 0) + count
