"""The declarative HTTP connector: one YAML definition makes a system a destination.

Only the definition decides which host is asked; a payload's values are filled in by structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.answers import (
    NotJson,
    Steps,
    Unreadable,
    dig,
    error_of,
    has,
    parse,
    record_id_at,
    steps,
)
from connectors.definition import HttpAction, HttpDefinition, Lookup, Read, action_of
from connectors.exchange import Answer, NoAnswer, NotSent, Request
from connectors.references import UnresolvedReference
from connectors.requests import RequestTemplate
from connectors.site import Site, resolve_site
from connectors.templates import Unfillable, Values
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
)
from orchestrator.domain.handoff import Action, Outgoing, Record

if TYPE_CHECKING:
    from connectors.http_client import HttpClient

_CONNECT_SECONDS = 5.0
_NOT_THERE = (404, 410)


class HttpConnector:
    """One system over HTTP, as its definition says."""

    def __init__(
        self,
        definition: HttpDefinition,
        *,
        folder: Path | None,
        client: Callable[[], HttpClient],  # called by the first request
    ) -> None:
        self.name = definition.connector
        self._definition = definition
        self._folder = folder
        self._client_of_process = client
        self._client: HttpClient | None = None
        self._site: Site | None = None
        self._secrets: frozenset[str] = frozenset()
        self._plans = {name: _plan(name, said) for name, said in definition.actions.items()}
        self._actions = {name: plan.action for name, plan in self._plans.items()}

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return self._actions

    async def create(self, call: Outgoing) -> str:
        """Make the record; its id, or the key where a receipt's answer has none."""
        plan = self._plans[call.action]
        answer = await self._ask(plan, plan.create, Values(key=call.key, send=call.fields))
        if not answer.ok:
            raise self._error(plan.create, answer)
        if plan.created_id is None:
            return call.key
        try:
            return record_id_at(parse(answer), plan.created_id)
        except Unreadable as error:
            raise OutcomeUnknown(f"create: {error}") from None

    async def lookup(self, call: Outgoing) -> str | None:
        """The id of the one record that carries the key, or None."""
        plan = self._plans[call.action]
        if plan.lookup is None:
            raise DestinationRefused(f"{call.action} has no look-up")
        finder = plan.lookup
        answer = await self._ask(plan, finder.request, Values(key=call.key, send=call.fields))
        if answer.status == finder.absent_status:
            return None
        if not answer.ok:
            raise self._error(finder.request, answer)
        try:
            return finder.found(parse(answer))
        except Unreadable as error:
            raise _unreadable(finder.request, error) from None

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None where it is not there."""
        plan = self._plans[call.action]
        if plan.read is None:
            raise DestinationRefused(f"{call.action} cannot be read back")
        reader = plan.read
        values = Values(key=call.key, send=call.fields, record_id=record_id)
        answer = await self._ask(plan, reader.request, values)
        if answer.status in _NOT_THERE:
            return None
        if not answer.ok:
            raise self._error(reader.request, answer)
        try:
            return Record(id=record_id, fields=reader.fields(parse(answer)))
        except Unreadable as error:
            raise _unreadable(reader.request, error) from None

    async def close(self) -> None:
        """Give connections back."""
        if self._client is not None:
            await self._client.close()

    async def _ask(self, plan: _Plan, template: RequestTemplate, values: Values) -> Answer:
        try:
            site = self._resolved()
            request = Request(
                method=template.method,
                url=site.base_url + template.target(values),
                headers={**site.headers, **template.headers(values)},
                body=template.body(values),
                connect_seconds=plan.connect_seconds,
                max_answer_bytes=self._definition.max_answer_bytes,
            )
            if self._client is None:
                self._client = self._client_of_process()
            return await self._client.send(request)
        except Unfillable as error:
            raise DestinationRefused(f"{template.name}: {error}") from None
        except (UnresolvedReference, NotSent) as error:
            raise DestinationUnavailable(f"{template.name}: {error}") from None
        except NoAnswer as error:
            text = f"{template.name}: {error}"
            raise (
                OutcomeUnknown(text) if template.creates else DestinationUnavailable(text)
            ) from None

    def _resolved(self) -> Site:
        if self._site is None:
            self._site = resolve_site(self._definition, self._folder)
            self._secrets |= set(self._site.secrets)
        return self._site

    def _error(self, template: RequestTemplate, answer: Answer) -> ConnectorError:
        if answer.status == 401:
            self._site = None  # the secret may have been changed; the next call reads it anew
        return error_of(template.name, answer, creating=template.creates, secrets=self._secrets)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """One action, compiled."""

    action: Action
    create: RequestTemplate
    created_id: Steps | None
    lookup: _Finder | None
    read: _Reader | None
    connect_seconds: float


class _Finder:
    """A look-up: its request, and what its answer says."""

    def __init__(self, said: Lookup) -> None:
        self.request = RequestTemplate("look-up", said)
        self.absent_status = said.absent_status
        self._items = None if said.items is None else steps(said.items)
        self._record_id = steps(said.record_id)

    def found(self, answer: object) -> str | None:
        if self._items is None:
            return record_id_at(answer, self._record_id)
        items = dig(answer, self._items)
        if not isinstance(items, list):
            raise Unreadable(f"what the answer has at {'.'.join(self._items)} is no list")
        if len(items) > 1:
            raise Unreadable(f"{len(items)} records carry the key, where one was expected")
        return record_id_at(items[0], self._record_id) if items else None


class _Reader:
    """A read: its request, and where its answer has the fields."""

    def __init__(self, said: Read) -> None:
        self.request = RequestTemplate("read", said)
        self._all: Steps = ()
        self._each: dict[str, Steps] | None = None
        if isinstance(said.fields, dict):
            self._each = {name: steps(path) for name, path in said.fields.items()}
        else:
            self._all = steps(said.fields)

    def fields(self, answer: object) -> Mapping[str, object]:
        if self._each is not None:
            return {name: dig(answer, at) for name, at in self._each.items() if has(answer, at)}
        found = dig(answer, self._all)
        if not isinstance(found, dict):
            raise Unreadable("what the answer has where the fields should be is no object")
        return found


def _plan(name: str, said: HttpAction) -> _Plan:
    read = said.read
    named = frozenset(read.fields) if read and isinstance(read.fields, dict) else frozenset()
    return _Plan(
        action=action_of(name, said, readable=named),
        create=RequestTemplate("create", said.create),
        created_id=None if said.create.record_id is None else steps(said.create.record_id),
        lookup=_Finder(said.lookup) if said.lookup else None,
        read=_Reader(read) if read else None,
        connect_seconds=min(_CONNECT_SECONDS, said.timeout_seconds / 2),
    )


def _unreadable(template: RequestTemplate, error: Unreadable) -> ConnectorError:
    text = f"{template.name}: {error}"
    # A proxy's page passes; an answer of another shape stays until the definition is changed.
    return DestinationUnavailable(text) if isinstance(error, NotJson) else DestinationRefused(text)
