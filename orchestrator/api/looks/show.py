"""`GET /v1/events/{id}`: the event as it is, or as soon as it is another one (`?wait=10`)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Annotated

from pydantic import Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from orchestrator.api.aside import Aside
from orchestrator.api.desk.models import Query, read_query
from orchestrator.api.digests import digest_of, matches_none
from orchestrator.api.intake import KeyRing
from orchestrator.api.looks.watch import MOST_SECONDS, Watch
from orchestrator.domain.access.roles import Role, includes
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.operations.access.allow import scope_of
from orchestrator.operations.access.keys import Caller
from orchestrator.operations.note_seen import note_seen
from orchestrator.presenting.documents import to_json
from orchestrator.presenting.personal.gate import shown
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.marks import Mark, marks_of
from orchestrator.store.views.events.show import EventView, show_event


class Look(Query):
    """How one event is looked at."""

    wait: Annotated[
        int,
        Field(ge=0, le=MOST_SECONDS, description="seconds to wait for another state"),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The address of one event, and what it needs."""

    store: Store
    keys: KeyRing
    looks: Aside  # where the store is read
    watch: Watch

    async def show(self, request: Request) -> Response:
        """State, stage, reason, deliveries and history; 404 too where the key may not look."""
        caller = await self.keys.caller(request.headers.get("authorization"))
        asked = read_query(Look, request.query_params) or Look()
        if not asked.wait:
            return _answer(request, await self._look(request, caller))
        gone = asyncio.create_task(_leave(request))
        with self.watch.place(caller.key_id):
            waiting = asyncio.create_task(self._wait(request, caller, asked.wait))
            try:
                await asyncio.wait([waiting, gone], return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    raise ClientDisconnect
                return waiting.result()
            finally:
                gone.cancel()
                waiting.cancel()

    async def _wait(self, request: Request, caller: Caller, seconds: int) -> Response:
        """The answer, when there is news or the time is over."""
        end = monotonic() + seconds
        while True:
            seen = await self._look(request, caller)
            left = end - monotonic()
            if left <= 0 or self.watch.released or _is_news(request, seen):
                return _answer(request, seen)
            await self.watch.change(request.path_params["id"], seen.mark, seconds=left)

    async def _look(self, request: Request, caller: Caller) -> _Seen:
        """Raises NotFound, StoreUnavailable."""
        seen = await self.looks.run(_find, self.store, request.path_params["id"], caller)
        if seen is None:
            raise NotFound(
                "there is no such event, or it is another client's",
                field="id",
                fix="use the id that the door answered, with a key of the event's client",
            )
        return seen


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """An event as somebody may see it."""

    document: bytes
    state: str
    mark: Mark | None  # of before the look: what changes during it is news

    @property
    def tag(self) -> str:
        return digest_of(self.document)


def look_at_marks(store: Store, ids: Collection[str]) -> Mapping[str, Mark]:
    """The marks of these events."""
    with store.read() as tx:
        return marks_of(tx, ids)


def _is_news(request: Request, seen: _Seen) -> bool:
    """Whether it is another state than the asker knows; to who knows none, one that is at rest."""
    known = request.headers.get("if-none-match")
    if known is None:
        return seen.state not in STAGE_OF
    return matches_none(known, seen.tag)


def _answer(request: Request, seen: _Seen) -> Response:
    headers = {"etag": f'W/"{seen.tag}"', "cache-control": "private, no-cache"}
    known = request.headers.get("if-none-match")
    if known is not None and not matches_none(known, seen.tag):
        return Response(status_code=304, headers=headers)
    return Response(seen.document, headers=headers, media_type="application/json")


def _find(store: Store, event_id: str, caller: Caller) -> _Seen | None:
    """The event, for whoever may view it or sent events of its client; personal values masked."""
    actor = caller.as_actor()
    with store.read() as tx:
        mark = marks_of(tx, [event_id]).get(event_id)
        event = show_event(tx, event_id)
        if event is None or not caller.sees(event.client):
            return None
        asked = Act.EMIT if includes(caller.role, Role.PRODUCER) else Act.VIEW
        if event.client not in scope_of(tx, actor, asked):
            return None
        found = shown(tx, event, sees=scope_of(tx, actor, Act.SEE_PERSONAL_DATA))
    note_seen(store, found.seen, actor=actor.name)
    return _Seen(document=_document(found.value), state=State(event.state).value, mark=mark)


def _document(event: EventView) -> bytes:
    without = [one.without_values() for one in event.deliveries]
    return to_json(event.as_json() | {"deliveries": without})


async def _leave(request: Request) -> None:
    """Return when the client has left; a body, if one comes, is thrown away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
