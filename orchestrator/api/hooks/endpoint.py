"""`POST /v1/hooks/{source}`: proven, read, committed, and only then answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from orchestrator.api.door import Door
from orchestrator.api.events import counted_problem, in_turns
from orchestrator.api.headers.rates import Rates
from orchestrator.api.headers.tracing import with_trace
from orchestrator.api.hooks.opened import OpenSources, closed
from orchestrator.api.hooks.pages import (
    answer_preflight,
    cross_origin_headers,
    redirect_of,
    refused_form,
)
from orchestrator.api.hooks.refusals import Refusals
from orchestrator.api.intake import Room, read_body
from orchestrator.api.parsers import Parsers, Reading
from orchestrator.api.problems import EarlyAnswer
from orchestrator.domain.errors import Refused, SignatureRefused, StoreUnavailable
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.sources.origin import origin_of
from orchestrator.domain.sources.reading import (
    Bounds,
    answer_to_handshake,
    read_events,
    read_payload,
)
from orchestrator.domain.sources.request import HookRequest, joined
from orchestrator.domain.sources.schemes import SecretUnusable, Verified, verify
from orchestrator.domain.sources.source import Source
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.settings import Settings
from orchestrator.telemetry import RequestAccepted, emit

_NO_TYPE = "(none)"  # no workflow can take it: a type has no bracket


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What a request came to."""

    handshake: str | None  # what it is answered, where it only asks whether we are there
    triggers: Sequence[Trigger]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """The address of every source, and what it needs."""

    door: Door
    room: Room
    config: Settings
    body_seconds: float
    parsers: Parsers
    sources: OpenSources
    refusals: Refusals
    rates: Rates

    async def ask(self, request: Request) -> Response:
        """Tell a browser whether a page may send this form; other sources are not for pages."""
        return answer_preflight(self.sources.find(request.path_params["source"]), request)

    async def post(self, request: Request) -> Response:
        """What the source wants to hear, once all its events are committed."""
        try:
            answer = await self._take(request)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - logged where it becomes an answer
            answer = self._refusal(request, error)
        source = self.sources.known(request.path_params["source"])
        if source is not None:
            answer.headers.update(cross_origin_headers(source, request))
        return answer

    async def _take(self, request: Request) -> Response:
        began = perf_counter()
        with self.room.hold() as hold:
            try:
                source = self.sources.find(request.path_params["source"])
                secrets = self.sources.secrets(source)
                hold.belongs_to(source.actor)
                self.rates.check(source.actor, source.limits)
                limit = self.config.max_body_bytes
                body = await read_body(request, hold, limit=limit, seconds=self.body_seconds)
            except (Refused, StoreUnavailable) as error:
                return EarlyAnswer(self._refusal(request, error))
            asked = _request_of(request, source, body)
            reading = self._read(source, asked, secrets)
            try:
                found = await in_turns(self.parsers, request, reading, body, key=source.actor)
            except SignatureRefused:
                if source.rules.form is None:  # the key of a form is for everybody
                    await self.refusals.note(source)
                raise  # a stranger's request takes nothing of what the source may send
            except SecretUnusable:
                raise closed() from None
            except Refused:
                self.rates.spend(source.actor, source.limits)
                raise
            told = self.rates.take(source.actor, source.limits, len(found.triggers))
            if found.handshake is not None:
                return Response(found.handshake, media_type="text/plain")
            answer = await self._accept(source, with_trace(found.triggers, request.headers))
            answer = redirect_of(source, request) or answer
        answer.headers.update(told)
        emit(RequestAccepted(seconds=perf_counter() - began))
        return answer

    def _refusal(self, request: Request, error: Exception) -> Response:
        """A problem document; for a person before a browser, a page or where the form says."""
        problem = counted_problem(error)
        source = self.sources.known(request.path_params["source"])
        return problem if source is None else refused_form(source, request, problem)

    def _read(self, source: Source, asked: HookRequest, secrets: Sequence[str]) -> Reading[_Read]:
        """Nothing of the body is looked at before the request is proven."""
        proof = verify(source.scheme, asked, secrets, now=time.time())
        yield
        config = self.config
        bounds = Bounds(
            depth=config.max_depth, values=config.max_values, events=config.max_batch_events
        )
        payload = read_payload(source.rules, asked, bounds)
        handshake = answer_to_handshake(source.rules, asked, payload)
        if handshake is not None:
            return _Read(handshake=handshake, triggers=())
        yield
        return _Read(handshake=None, triggers=_triggers(source, asked, payload, bounds, proof))

    async def _accept(self, source: Source, triggers: Sequence[Trigger]) -> Response:
        accepted: Sequence[Accepted] = ()
        if triggers:
            try:
                accepted = await self.door.accept(triggers, actor=source.actor)
            except (Refused, StoreUnavailable) as error:
                self.rates.give_back(source.actor, len(triggers))
                raise error.cause if isinstance(error, RefusedAt) else error from None
        said = source.answer
        if said.media_type is not None:
            return Response(said.body, said.status, media_type=said.media_type)
        document = {"events": accepted} if len(accepted) != 1 else accepted[0]
        return Response(orjson.dumps(document), said.status, media_type="application/json")


def _triggers(
    source: Source, asked: HookRequest, payload: object, bounds: Bounds, proof: Verified
) -> list[Trigger]:
    events = read_events(source.rules, asked, payload, bounds)
    return [
        Trigger(
            client=source.client,
            type=one.type or _NO_TYPE,
            payload=one.payload,
            digest=one.digest,
            idempotency_key=one.key,
            hook=origin_of(source, asked, proof, type=one.type, alone=len(events) == 1),
        )
        for one in events
    ]


def _request_of(request: Request, source: Source, body: bytes) -> HookRequest:
    """The request as its vendor made it: behind a proxy, its address is what the source says."""
    query = request.url.query
    address = source.public_url or str(request.url.replace(query=""))
    return HookRequest(
        method=request.method,
        url=f"{address}?{query}" if query else address,
        headers=joined(request.headers.items()),
        body=body,
        secret_path=request.path_params.get("secret", ""),
    )
