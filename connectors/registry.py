"""Which connectors there are: the shipped definitions and those in the user's folder.

A definition of the user's takes the place of a shipped one of the same name. References (`env:`,
`file:`) are not followed here: a workflow may be checked and published on a machine that does not
hold the secrets. `unresolved` says what a machine lacks; a call that needs it is tried again later.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.definition import Definition, FakeDefinition, HttpDefinition, SmtpDefinition
from connectors.definition_file import read_definition
from connectors.fake import FakeConnector
from connectors.http import HttpConnector
from connectors.mail import MailConnector, resolve_server
from connectors.references import UnresolvedReference
from connectors.site import resolve_site
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.handoff import Action, Connector

if TYPE_CHECKING:
    from connectors.http_client import HttpClient

_SHIPPED = Path(__file__).parent / "definitions"


def load_connectors(folder: Path | None) -> dict[str, Connector]:
    """Every connector by name; `folder` holds the user's definitions. Raises InvalidFile."""
    client = _one_client()
    return {
        name: _made(definition, path.parent, client)
        for name, (definition, path) in _definitions(folder).items()
    }


def catalog(connectors: Mapping[str, Connector]) -> dict[str, Mapping[str, Action]]:
    """What workflows are checked against: the actions by connector."""
    return {name: connector.actions for name, connector in connectors.items()}


async def close_connectors(connectors: Mapping[str, Connector]) -> None:
    """Give every connection back; a later call opens anew."""
    for connector in connectors.values():
        await connector.close()


def unresolved(folder: Path | None) -> dict[str, str]:
    """For each connector that could not be used on this machine, why. Raises InvalidFile."""
    problems = {}
    for name, (definition, path) in _definitions(folder).items():
        try:
            if isinstance(definition, HttpDefinition):
                resolve_site(definition, path.parent)
            elif isinstance(definition, SmtpDefinition):
                resolve_server(definition, path.parent)
        except UnresolvedReference as error:
            problems[name] = str(error)
    return problems


def _made(definition: Definition, folder: Path, client: Callable[[], HttpClient]) -> Connector:
    match definition:
        case HttpDefinition():
            return HttpConnector(definition, folder=folder, client=client)
        case SmtpDefinition():
            return MailConnector(definition, folder=folder)
        case FakeDefinition():
            return FakeConnector(definition)


def _one_client() -> Callable[[], HttpClient]:
    """One HTTP client for all connectors; aiohttp is loaded when the first of them sends."""

    @functools.cache
    def client() -> HttpClient:
        from connectors.http_client import HttpClient

        return HttpClient()

    return client


def _definitions(folder: Path | None) -> dict[str, tuple[Definition, Path]]:
    found = dict(_in_folder(_SHIPPED))
    if folder is not None:
        if not folder.is_dir():
            fix = "name the folder that holds your connectors' definitions"
            fault = Fault(path="", problem="there is no such folder", fix=fix)
            raise InvalidFile(str(folder), [fault])
        found |= dict(_in_folder(folder))
    return found


def _in_folder(folder: Path) -> Iterator[tuple[str, tuple[Definition, Path]]]:
    taken: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        definition = read_definition(path)
        name = definition.connector
        if name in taken:
            problem = f"{taken[name].name} defines the connector {name} too"
            fault = Fault(path="connector", problem=problem, fix="give one of them another name")
            raise InvalidFile(str(path), [fault])
        taken[name] = path
        yield name, (definition, path)
