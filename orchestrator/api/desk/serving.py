"""Answer requests of the routes: who asks, what for, and the use case in a thread of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.api.desk.models import read_document, read_query
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.digests import digest_of, read_tags
from orchestrator.api.events import Endpoint, counted_problem
from orchestrator.api.hands import Hands
from orchestrator.api.intake import Form, KeyRing, Room, media_type, read_body, refuse_encoded
from orchestrator.api.problems import EarlyAnswer, TookTooLong, UnsupportedContent
from orchestrator.domain.errors import NotFound, Refused, StoreUnavailable
from orchestrator.operations.access.keys import Caller
from orchestrator.operations.note_seen import note_seen
from orchestrator.presenting.documents import to_json
from orchestrator.presenting.personal.gate import shown
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store

_PARAMETER = re.compile(r"\{([a-z]+)(?::circuit)?\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 400  # characters of one part of an address


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the routes need to be answered."""

    store: Store
    keys: KeyRing
    room: Room
    config: Settings
    hands: Hands
    body_seconds: float  # until the whole body has arrived
    act_seconds: float  # after which an act stops at its next step

    def answering(self, route: Route) -> Endpoint:
        """The endpoint of a route."""

        async def answer(request: Request) -> Response:
            with self.room.hold() as hold:
                try:
                    caller = await self.keys.caller(request.headers.get("authorization"))
                    hold.belongs_to(caller.key_id)
                    _refuse_other_types(route, request)
                    limit = self.config.max_body_bytes if route.body else 0
                    body = await read_body(request, hold, limit=limit, seconds=self.body_seconds)
                except (Refused, StoreUnavailable) as error:
                    return EarlyAnswer(counted_problem(error))
                given = _Given(
                    path=_path_of(route, request),
                    query=request.query_params,
                    body=body,
                    seen=read_tags(request.headers.get("if-match")) if route.tagged else (),
                )
                holder = caller.mail or caller.key_id
                return await self.hands.run(holder, self._answer, route, caller, given)

        return answer

    def _answer(self, route: Route, caller: Caller, given: _Given) -> Response:
        asked = Asked(
            store=self.store,
            config=self.config,
            actor=caller.as_actor(),
            path=given.path,
            query=read_query(route.query, given.query),
            body=read_document(route.body, given.body, max_depth=self.config.max_depth + 2),
            seen=given.seen,
            goes_on=_clock(self.act_seconds),
        )
        if route.handler is None:
            raise TypeError(f"{route.name} is answered by an endpoint of its own")
        answer = route.handler(asked)
        with self.store.read() as tx:
            found = shown(tx, answer.document, sees=asked.sees(tx))
        note_seen(self.store, found.seen, actor=asked.actor.name)
        return _response(route, replace(answer, document=found.value))


@dataclass(frozen=True, kw_only=True)
class _Given:
    """A request as it came."""

    path: dict[str, str]
    query: QueryParams
    body: bytes
    seen: tuple[str, ...]


def _response(route: Route, answer: Answer) -> Response:
    body = to_json(answer.document)
    headers = {"cache-control": "no-store"}
    if route.tagged and route.method == "GET":
        headers["etag"] = f'W/"{answer.tag or digest_of(body)}"'
    if answer.location is not None:
        headers["location"] = answer.location
    return Response(body, answer.status, headers=headers, media_type="application/json")


def _path_of(route: Route, request: Request) -> dict[str, str]:
    """The values in the address. Raises NotFound for what can be nothing's name."""
    values = {name: str(request.path_params[name]) for name in _PARAMETER.findall(route.path)}
    for value in values.values():
        if _CONTROL.search(value) or len(value) > _LONGEST:
            raise NotFound("there is nothing of that name", fix="see /openapi.json")
    return values


def _refuse_other_types(route: Route, request: Request) -> None:
    if route.body is None:
        return
    kind = media_type(request.headers.get("content-type", ""))
    if kind and kind != Form.PLAIN:
        raise UnsupportedContent(
            f"{kind!r} is not read here", field="Content-Type", fix=f"send {Form.PLAIN}"
        )
    refuse_encoded(request.headers)


def _clock(seconds: float) -> Callable[..., None]:
    """What an act calls between two steps. Raises TookTooLong when its time is up."""
    end = monotonic() + seconds

    def go_on(*_: object) -> None:
        if monotonic() > end:
            raise TookTooLong(
                f"it was stopped after {seconds:g} s; what was done until then is done",
                fix="send it again for the rest, select less, or run a plan as a job",
            )

    return go_on
