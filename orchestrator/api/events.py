"""`POST /v1/events` takes triggers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from orchestrator.api.cloud_events import read_binary, read_structured, read_structured_batch
from orchestrator.api.door import Door
from orchestrator.api.headers.idempotency import NAME as IDEMPOTENCY_KEY
from orchestrator.api.headers.idempotency import key_of, refuse_key, with_key
from orchestrator.api.headers.outcomes import answer_each
from orchestrator.api.headers.preferences import EACH, prefers
from orchestrator.api.headers.rates import Rates
from orchestrator.api.headers.tracing import with_trace
from orchestrator.api.intake import BATCHES, Form, KeyRing, Room, form_of, read_body
from orchestrator.api.parsers import Parsers, Reading
from orchestrator.api.problems import EarlyAnswer, Problem, problem_of
from orchestrator.api.spools.header import HEADER as SPOOL
from orchestrator.api.spools.header import hear_of_spool
from orchestrator.api.triggers import read_batch, read_each, read_plain
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidTrigger, Refused, StoreUnavailable
from orchestrator.domain.event import Trigger
from orchestrator.domain.trace_context import PARENT
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.operations.access.keys import Caller
from orchestrator.settings import Settings
from orchestrator.telemetry import RequestAccepted, RequestRefused, emit

_LONG_BODY = 32 * 1024  # bytes; reading a longer one would keep the other requests waiting

T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[Response]]


def answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with every error turned into a problem document."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        except Exception as error:  # noqa: BLE001 - logged where it becomes an answer
            return counted_problem(error)

    return answer


@dataclass(frozen=True, kw_only=True)
class Events:
    """The address of triggers, and what it needs."""

    door: Door
    keys: KeyRing
    room: Room
    config: Settings
    body_seconds: float
    parsers: Parsers  # where long bodies are read
    rates: Rates

    async def post(self, request: Request) -> Response:
        """202 with id and duplicate; of a batch, one for each trigger in order, or 207."""
        began, config = perf_counter(), self.config
        with self.room.hold() as hold:
            try:
                caller = await self.keys.caller(request.headers.get("authorization"))
                hold.belongs_to(caller.key_id)
                if SPOOL in request.headers:
                    hear_of_spool(request.headers, caller.key_id)
                if caller.limits:
                    self.rates.check(caller.key_id, caller.limits)
                form = form_of(request.headers)
                limit = config.max_batch_bytes if form in BATCHES else config.max_body_bytes
                body = await read_body(request, hold, limit=limit, seconds=self.body_seconds)
            except (Refused, StoreUnavailable) as error:
                return EarlyAnswer(counted_problem(error))
            answer = await self._accept(request, form, body, caller)
        emit(RequestAccepted(seconds=perf_counter() - began))
        return answer

    async def _accept(self, request: Request, form: Form, body: bytes, caller: Caller) -> Response:
        key, limits = caller.key_id, caller.limits
        if form in BATCHES and prefers(request.headers, EACH):
            refuse_key(_key_of(request), "a batch has no one key")
            each = read_each(body, self._reader(form, caller), self.config)
            items = await self._in_turns(request, each, body, caller)
            if PARENT in request.headers:
                items = with_trace(items, request.headers)
            if not items:
                _refuse_empty(form)
            told = self.rates.take(key, limits, len(items)) if limits else {}
            answer = await answer_each(self.door, items, actor=caller.actor)
            answer.headers.update(told)
            return answer
        reading = self._read(request, form, body, caller)
        triggers = await self._in_turns(request, reading, body, caller)
        if not triggers:
            _refuse_empty(form)
        if PARENT in request.headers:
            triggers = with_trace(triggers, request.headers)
        told = self.rates.take(key, limits, len(triggers)) if limits else {}
        try:
            accepted = await self.door.accept(triggers, actor=caller.actor)
        except (Refused, StoreUnavailable) as error:
            if limits:
                self.rates.give_back(key, len(triggers))
            if isinstance(error, RefusedAt) and form not in BATCHES:
                raise error.cause from None
            raise
        found = orjson.dumps({"events": accepted} if form in BATCHES else accepted[0])
        return Response(found, 202, headers=dict(told), media_type="application/json")

    async def _in_turns(
        self, request: Request, reading: Reading[T], body: bytes, caller: Caller
    ) -> T:
        """What is read of a body: at once where it is short."""
        return await in_turns(self.parsers, request, reading, body, key=caller.key_id)

    def _read(
        self, request: Request, form: Form, body: bytes, caller: Caller
    ) -> Reading[list[Trigger]]:
        key = _key_of(request)
        if form in BATCHES:
            refuse_key(key, "a batch has no one key")
            return (yield from read_batch(body, self._reader(form, caller), self.config))
        depth = self.config.max_depth + 1  # around the payload
        value = strict_json.loads(body, max_depth=depth, most_values=self.config.max_values)
        if form is Form.PLAIN:
            trigger = read_plain(value, caller)
            return [trigger if key is None else with_key(trigger, key)]
        refuse_key(key, "the key of a CloudEvent is its source and id")
        if form is Form.BINARY:
            return [read_binary(request.headers, value, caller)]
        return [read_structured(value, caller, self.config)]

    def _reader(self, form: Form, caller: Caller) -> Callable[[object], Trigger]:
        """What reads one trigger of a batch."""
        if form is Form.PLAIN_BATCH:
            return lambda value: read_plain(value, caller)
        return read_structured_batch(caller, self.config)


def _key_of(request: Request) -> str | None:
    """The key in the header, where there is one. Raises InvalidTrigger."""
    headers = request.headers
    return key_of(headers) if IDEMPOTENCY_KEY in headers else None


def _refuse_empty(form: Form) -> None:
    """Raises InvalidTrigger; a batch of CloudEvents may be empty (JSON format 1.0.2, section 4)."""
    if form is not Form.STRUCTURED_BATCH:
        raise InvalidTrigger("the batch is empty", field="body", fix="send at least one trigger")


async def in_turns(
    parsers: Parsers, request: Request, reading: Reading[T], body: bytes, *, key: str
) -> T:
    """What is read of a body: at once where it is short, else aside and in turns of its `key`."""
    if len(body) <= _LONG_BODY:
        return _read_at_once(reading)
    return await parsers.run(reading, key=key, gone=request.is_disconnected)


def _read_at_once(reading: Reading[T]) -> T:
    """The end of a reading that is too short for turns."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            found: T = end.value
            return found


def counted_problem(error: Exception) -> Problem:
    """An error as its answer, counted."""
    problem = problem_of(error)
    emit(RequestRefused(code=problem.code))
    return problem
