"""The sources of this machine, and their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.definition.extending import definition_files
from connectors.definition.references import UnresolvedReference, resolve
from connectors.sources.file import read_source
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.sources.source import Source


def load_sources(folder: Path | None) -> dict[str, Source]:
    """Every source by name; none where no folder is set. Raises InvalidFile."""
    if folder is None:
        return {}
    if not folder.is_dir():
        fix = "name the folder that holds your sources"
        raise InvalidFile(str(folder), [Fault(path="", problem="there is no such folder", fix=fix)])
    found: dict[str, Source] = {}
    for path in definition_files(folder):
        source = read_source(path)
        if source.name in found:
            problem = f"{Path(found[source.name].file).name} has the source {source.name} too"
            fault = Fault(path="source", problem=problem, fix="give one of them another name")
            raise InvalidFile(str(path), [fault])
        found[source.name] = source
    return found


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What a source's references lead to on this machine."""

    values: tuple[str, ...]  # in the file's order; never shown
    missing: tuple[str, ...]  # why a reference leads nowhere

    @property
    def closed(self) -> bool:
        """Whether nothing could be verified: the source then takes nothing."""
        return not self.values


def secrets_of(source: Source) -> Secrets:
    """The secrets of a source; a relative `file:` starts where its definition lies."""
    values, missing = [], []
    for reference in source.secrets:
        try:
            values.append(resolve(reference, folder=Path(source.file).parent))
        except UnresolvedReference as error:
            missing.append(str(error))
    return Secrets(values=tuple(values), missing=tuple(missing))


def closed_sources(folder: Path | None) -> Mapping[str, str]:
    """For each source that lacks a secret here, what it lacks. Raises InvalidFile."""
    found = {name: secrets_of(one) for name, one in load_sources(folder).items()}
    return {name: "; ".join(one.missing) for name, one in found.items() if one.missing}
