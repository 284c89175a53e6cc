"""The sources of this door, and their secrets, looked up anew every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from connectors.sources.registry import Secrets, secrets_of
from orchestrator.api.problems import SourceClosed
from orchestrator.domain.errors import NotFound
from orchestrator.domain.sources.source import Source

_REMEMBERED_SECONDS = 5.0


class OpenSources:
    """The sources by name. A secret that was replaced in its file is good within seconds."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._secrets: dict[str, tuple[float, Secrets]] = {}

    def known(self, name: str) -> Source | None:
        """The source of a name, or None."""
        return self._sources.get(name)

    def find(self, name: str) -> Source:
        """The source of a name. Raises NotFound."""
        source = self._sources.get(name)
        if source is None:
            raise NotFound(
                "there is no such source",
                field="source",
                fix="use the address that `meshline sources list` shows",
            )
        return source

    def secrets(self, source: Source) -> tuple[str, ...]:
        """What its requests may be proven by. Raises SourceClosed."""
        until, known = self._secrets.get(source.name, (0.0, None))
        if known is None or monotonic() >= until:
            known = secrets_of(source)
            self._secrets[source.name] = (monotonic() + _REMEMBERED_SECONDS, known)
        if known.closed:
            raise closed()
        return known.values


def closed() -> SourceClosed:
    """That a source takes nothing; strangers do not learn which secret it lacks."""
    return SourceClosed(
        "this source is closed", field="source", fix="see what `meshline doctor` says of it"
    )
