"""`POST /v1/events` takes triggers; `GET /v1/events/{id}` tells where an event stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.api.aside import Aside
from orchestrator.api.bodies import EarlyAnswer, HeldBytes, Room, read_body
from orchestrator.api.cloud_events import read_binary, read_structured
from orchestrator.api.content import BATCHES, Form, form_of
from orchestrator.api.door import Door
from orchestrator.api.keys import KeyRing
from orchestrator.api.parsers import Parsers, Reading, read_at_once
from orchestrator.api.problems import Problem, problem_of
from orchestrator.api.triggers import read_batch, read_plain
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NotFound, Refused, StoreUnavailable
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.operations.manage_keys import Caller
from orchestrator.presenting.documents import to_json
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events import EventView, show_event
from orchestrator.telemetry import RequestAccepted, RequestRefused, emit

_LONG_BODY = 32 * 1024  # bytes; reading a longer one would keep the other requests waiting
_LARGE_BODY = 512 * 1024  # bytes; what one leaves behind is worth giving back


@dataclass(frozen=True, kw_only=True)
class Events:
    """The two addresses, and what they need."""

    store: Store
    door: Door
    keys: KeyRing
    room: Room
    config: Settings
    body_seconds: float
    looks: Aside  # where the store is read
    parsers: Parsers  # where long bodies are read

    async def post(self, request: Request) -> Response:
        """202 with id and duplicate; of a batch, one for each trigger in order."""
        began = perf_counter()
        with self._hold() as hold:
            try:
                caller = await self.keys.caller(request.headers.get("authorization"))
                hold.belongs_to(caller.key_id)
                form = form_of(request.headers)
                body = await self._body(request, form, hold)
            except (Refused, StoreUnavailable) as error:
                return EarlyAnswer(self.problem(error))
            triggers = await self._triggers(request, form, body, caller)
            try:
                accepted = await self.door.accept(triggers, actor=caller.actor)
            except RefusedAt as refused:
                raise refused if form in BATCHES else refused.cause from None
        emit(RequestAccepted(seconds=perf_counter() - began))
        answers = [_answer(one) for one in accepted]
        return _json({"events": answers} if form in BATCHES else answers[0], status=202)

    async def show(self, request: Request) -> Response:
        """State, stage, reason, deliveries and history; 404 too where the key may not look."""
        caller = await self.keys.caller(request.headers.get("authorization"))
        event_id = request.path_params["id"]
        event = await self.looks.run(_find, self.store, event_id)
        if event is None or not caller.permits(event.client):
            raise NotFound(
                "there is no such event, or it is another client's",
                field="id",
                fix="use the id that the door answered, with a key of the event's client",
            )
        without = [one.without_values() for one in event.deliveries]
        return _json(event.as_json() | {"deliveries": without})

    def problem(self, error: Exception) -> Problem:
        """An error as its answer, counted."""
        problem = problem_of(error)
        emit(RequestRefused(code=problem.code))
        return problem

    @contextmanager
    def _hold(self) -> Iterator[HeldBytes]:
        with self.room.hold() as hold:
            try:
                yield hold
            finally:
                if hold.size > _LARGE_BODY:
                    self.parsers.trim_soon()

    async def _body(self, request: Request, form: Form, hold: HeldBytes) -> bytes:
        config = self.config
        limit = config.max_batch_bytes if form in BATCHES else config.max_body_bytes
        return await read_body(request, hold, limit=limit, seconds=self.body_seconds)

    async def _triggers(
        self, request: Request, form: Form, body: bytes, caller: Caller
    ) -> list[Trigger]:
        reading = self._read(request, form, body, caller)
        if len(body) <= _LONG_BODY:
            return read_at_once(reading)
        return await self.parsers.run(reading, key=caller.key_id, gone=request.is_disconnected)

    def _read(
        self, request: Request, form: Form, body: bytes, caller: Caller
    ) -> Reading[list[Trigger]]:
        read_one = read_plain if form in (Form.PLAIN, Form.PLAIN_BATCH) else read_structured
        if form in BATCHES:
            return (yield from read_batch(body, lambda one: read_one(one, caller), self.config))
        depth = self.config.max_depth + 1  # around the payload
        value = strict_json.loads(body, max_depth=depth, most_values=self.config.max_values)
        if form is Form.BINARY:
            return [read_binary(request.headers, value, caller)]
        return [read_one(value, caller)]


def _find(store: Store, event_id: str) -> EventView | None:
    with store.read() as tx:
        return show_event(tx, event_id)


def _answer(accepted: Accepted) -> dict[str, object]:
    return {"id": accepted.id, "duplicate": accepted.duplicate}


def _json(value: object, *, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")
