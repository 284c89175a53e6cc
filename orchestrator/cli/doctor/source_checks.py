"""What the doctor says of the sources of webhooks and forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, broken, ok
from orchestrator.domain.errors import InvalidFile

if TYPE_CHECKING:
    from orchestrator.settings import Settings


def look_at_sources(config: Settings) -> Iterator[CheckResult]:
    """Whether the files are right, and each source has its secret; nothing where none is set."""
    if config.sources is None:
        return
    from connectors.sources.registry import load_sources, secrets_of

    try:
        sources = load_sources(config.sources)
    except InvalidFile as error:
        fix = "correct it; MESHLINE_SOURCES names the folder"
        yield broken("sources", str(error), fix)
        return
    known = {name: secrets_of(one) for name, one in sources.items()}
    ready = sorted(name for name, found in known.items() if not found.missing)
    for name, found in known.items():
        lacks = "; ".join(found.missing)
        if found.closed:
            fix = "set it where the door runs; until then the source answers 503"
            yield broken("sources", f"{name} is closed: {lacks}", fix)
        elif found.missing:
            fix = "set it, or take it out of the file"
            yield attention("sources", f"{name} lacks one of its secrets: {lacks}", fix)
    if ready or not known:
        yield ok("sources", ", ".join(ready) or "there are none yet")
