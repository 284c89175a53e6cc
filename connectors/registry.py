"""Which connectors there are: shipped definitions, packages' connectors, the user's definitions.

Of one name the user's definition is taken before a package's connector, and that before a shipped
definition. References (`env:`, `file:`) are not followed here: a workflow may be checked and
published on a machine that does not hold the secrets. `unresolved` says what a machine lacks; a
call that needs it is tried again later.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.definition.extending import SHIPPED, definition_files
from connectors.definition.references import UnresolvedReference
from connectors.definition.shared_keys import Definition
from connectors.definition_file import read_definition
from connectors.http.wire.exchange import Client
from connectors.kinds import KINDS, Ports
from connectors.plugins import package_of, plug_in, plugged_in, release_of
from orchestrator.domain.changes.subject import definition_digest
from orchestrator.domain.delivery.handoff import Action, Connector
from orchestrator.domain.delivery.tokens import TokenKeeper
from orchestrator.domain.errors import Fault, InvalidFile

_Found = tuple[Definition, Path]


@dataclass(frozen=True, kw_only=True)
class Known:
    """One connector and where it comes from."""

    connector: Connector
    kind: str  # of its definition, or `python`
    origin: str  # `shipped`, a file, or `package NAME`
    definition: Definition | None = None
    folder: Path | None = None  # where its definition lies
    path: Path | None = None  # its definition
    package: str | None = None  # its name and version, where it brings the connector

    def digest(self) -> str:
        """64 hex digits, of all that its definition says; secrets are only named in it.

        Of a package's connector they are of the package's name and version.
        """
        if self.definition is None:
            return definition_digest({"package": self.package, "connector": self.connector.name})
        # What a file does not say stays out: a new key with a default changes no digest.
        said = self.definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return definition_digest(said)


def load_connectors(
    folder: Path | None, *, tokens: Callable[[], TokenKeeper] | None = None
) -> dict[str, Connector]:
    """Every connector by name; `folder` holds the user's definitions. Raises InvalidFile.

    Whoever makes calls says where `tokens` are kept.
    """
    return {name: one.connector for name, one in load_known(folder, tokens=tokens).items()}


def load_known(
    folder: Path | None, *, tokens: Callable[[], TokenKeeper] | None = None
) -> dict[str, Known]:
    """The same, each with where it comes from."""
    return known_connectors(folder, Ports(client=_one_client(), tokens=tokens))


def known_connectors(folder: Path | None, ports: Ports | None = None) -> dict[str, Known]:
    """Every connector by name, with where it comes from. Raises InvalidFile."""
    ports = ports or Ports(client=_one_client())
    defined, points = _definitions(folder), plugged_in()
    known = {}
    for name in sorted(defined.keys() | points.keys()):
        own = name in defined and defined[name][1].parent != SHIPPED
        if name in points and not own:
            origin = f"package {package_of(points[name])}"
            known[name] = Known(
                connector=plug_in(points[name]),
                kind="python",
                origin=origin,
                package=release_of(points[name]),
            )
        else:
            known[name] = known_by(*defined[name], ports)
    return known


def known_by(definition: Definition, path: Path, ports: Ports) -> Known:
    """The connector of one definition."""
    return Known(
        connector=KINDS[definition.kind].make(definition, path.parent, ports),
        kind=definition.kind,
        origin="shipped" if path.parent == SHIPPED else str(path),
        definition=definition,
        folder=path.parent,
        path=path,
    )


def connector_digests(folder: Path | None) -> dict[str, str]:
    """By connector, the digest of its definition on this machine. Raises InvalidFile."""
    return {name: one.digest() for name, one in known_connectors(folder).items()}


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """What of the definitions on this machine goes into a proposal, by connector."""

    digests: Mapping[str, str]
    rates: Mapping[str, float | None]  # calls a minute that its system takes; None: any number


def connector_definitions(folder: Path | None) -> Definitions:
    """The digests and the rates. Raises InvalidFile."""
    known = known_connectors(folder)
    rates = {name: one.connector.limits.rate for name, one in known.items()}
    return Definitions(
        digests={name: one.digest() for name, one in known.items()},
        rates={
            name: None if rate is None else rate.calls * 60 / rate.per_seconds
            for name, rate in rates.items()
        },
    )


def catalog(connectors: Mapping[str, Connector]) -> dict[str, Mapping[str, Action]]:
    """What workflows are checked against: the actions by connector."""
    return {name: connector.actions for name, connector in connectors.items()}


async def close_connectors(connectors: Mapping[str, Connector]) -> None:
    """Give every connection back; a later call opens anew."""
    for connector in connectors.values():
        await connector.close()


def unresolved(folder: Path | None, *, no_tokens: str | None = None) -> dict[str, str]:
    """For each connector that could not be used on this machine, why. Raises InvalidFile.

    `no_tokens` says why tokens cannot be kept here, where they cannot.
    """
    problems = {}
    for name, (definition, path) in _definitions(folder).items():
        try:
            KINDS[definition.kind].resolve(definition, path.parent)
        except UnresolvedReference as error:
            problems[name] = str(error)
        else:
            if no_tokens and KINDS[definition.kind].shares_tokens(definition):
                problems[name] = no_tokens
    return problems


def _one_client() -> Callable[[], Client]:
    """One HTTP client for all connectors; aiohttp is loaded when the first of them sends."""

    @functools.cache
    def client() -> Client:
        from connectors.http.wire.client import HttpClient

        return HttpClient()

    return client


@functools.cache
def _shipped() -> Mapping[str, _Found]:
    """What is shipped, read once per process: two hundred milliseconds."""
    return dict(_in_folder(SHIPPED))


def _definitions(folder: Path | None) -> dict[str, _Found]:
    found = dict(_shipped())
    if folder is not None:
        if not folder.is_dir():
            fix = "name the folder that holds your connectors' definitions"
            fault = Fault(path="", problem="there is no such folder", fix=fix)
            raise InvalidFile(str(folder), [fault])
        found |= dict(_in_folder(folder))
    return found


def _in_folder(folder: Path) -> Iterator[tuple[str, _Found]]:
    taken: dict[str, Path] = {}
    for path in definition_files(folder):
        definition = read_definition(path)
        name = definition.connector
        if name in taken:
            problem = f"{taken[name].name} defines the connector {name} too"
            fault = Fault(path="connector", problem=problem, fix="give one of them another name")
            raise InvalidFile(str(path), [fault])
        taken[name] = path
        yield name, (definition, path)
