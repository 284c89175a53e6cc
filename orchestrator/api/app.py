"""The door's addresses, and what answers them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.client import METHOD_NOT_ALLOWED

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from connectors.sources.registry import load_sources
from orchestrator.api.aside import Aside, Remembered
from orchestrator.api.desk.document import describe
from orchestrator.api.desk.serving import Desk
from orchestrator.api.desk.table import ROUTES
from orchestrator.api.door import Door, DoorLimits
from orchestrator.api.events import Endpoint, Events, answering, counted_problem
from orchestrator.api.hands import Hands
from orchestrator.api.headers.rates import Rates
from orchestrator.api.hooks.endpoint import Hooks
from orchestrator.api.hooks.opened import OpenSources
from orchestrator.api.hooks.refusals import Refusals
from orchestrator.api.intake import REMEMBERED_SECONDS, KeyRing, Room
from orchestrator.api.looks.show import Looks, look_at_marks
from orchestrator.api.looks.watch import Watch
from orchestrator.api.metrics import Counted, Metrics
from orchestrator.api.parsers import Parsers
from orchestrator.api.readiness import Readiness, beating
from orchestrator.api.spools.watch import watching_spools
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.operations.access.keys import check_key
from orchestrator.settings import Settings
from orchestrator.store.approvals.counts import count_waiting
from orchestrator.store.clocks.alert_views import count_alerts
from orchestrator.store.database.engine import Store
from orchestrator.store.views.destinations.list import count_blocked_circuits, count_held
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.incidents.list import count_incident_states
from orchestrator.telemetry import reading

_COUNTED_SECONDS = 10.0  # counting goes over every event
_COUNTING_SECONDS = 8.0
_READING_THREADS = 4
_HANDS = 8  # acts and listings at once
_SHARE = 4  # of them one caller's


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """What the door grants to all requests together; times in seconds."""

    door: DoorLimits = field(default_factory=DoorLimits)
    body_seconds: float = 30.0  # until the whole body has arrived
    bytes_in_hand: int = 64 * 1024 * 1024  # bodies that are read or wait for their commit
    share: float = 0.5  # of them that one key may have in hand; one body always
    key_seconds: float = REMEMBERED_SECONDS
    look_seconds: float = 2.0  # how long a look into the store is waited for
    act_seconds: float = 20.0  # after which an act stops at its next step
    call_seconds: float = 30.0  # how long an act or a listing is waited for
    spool_seconds: float = 60.0  # between two looks at the incident of a producer's spool


def build_app(store: Store, config: Settings, limits: ApiLimits | None = None) -> Starlette:
    """The door as an ASGI application; it writes between its lifespan's start and end.

    Raises InvalidFile for a source that is wrong.
    """
    limits = limits or ApiLimits()
    looks = Aside(
        "door-reader", StoreUnavailable, seconds=limits.look_seconds, threads=_READING_THREADS
    )
    spools = partial(watching_spools, store, config.steward, seconds=limits.spool_seconds)
    counts = Aside("door-counter", StoreUnavailable, seconds=_COUNTING_SECONDS)
    parsers = Parsers()
    metrics = Metrics()
    door = Door(store, limits.door)
    keys = KeyRing(lambda key: looks.run(check_key, store, key), seconds=limits.key_seconds)
    rates = Rates()
    events = Events(
        door=door,
        keys=keys,
        room=_room(limits, config, parsers),
        config=config,
        body_seconds=limits.body_seconds,
        parsers=parsers,
        rates=rates,
    )
    watch = Watch(lambda ids: looks.run(look_at_marks, store, ids))
    shows = Looks(store=store, keys=keys, looks=looks, watch=watch)
    hands = Hands(most=_HANDS, share=_SHARE, seconds=limits.call_seconds)
    desk = Desk(
        store=store,
        keys=keys,
        room=events.room,
        config=config,
        hands=hands,
        body_seconds=limits.body_seconds,
        act_seconds=limits.act_seconds,
    )
    hooks = Hooks(
        door=door,
        room=events.room,
        config=config,
        body_seconds=limits.body_seconds,
        parsers=parsers,
        sources=OpenSources(load_sources(config.sources)),
        refusals=Refusals(store, looks),
        rates=rates,
    )
    readiness = Readiness(store, config, door)
    states = Remembered(lambda: _count(counts, store), seconds=_COUNTED_SECONDS)

    async def healthz(_: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def readyz(_: Request) -> Response:
        look = await readiness.look()
        told = {"ready": look.ready, **look.states, "age_seconds": look.age_seconds}
        return Response(
            orjson.dumps(told),
            200 if look.ready else 503,
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )

    async def show_metrics(_: Request) -> Response:
        text = metrics.render(await states.get(), waiting=door.waiting)
        return Response(text, media_type="text/plain; version=0.0.4")

    async def show_document(_: Request) -> Response:
        return Response(await looks.run(_document), media_type="application/json")

    async def not_routed(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == METHOD_NOT_ALLOWED:
            error.headers = {"Allow": ", ".join(_methods_at(app.routes, request.scope))}
        return counted_problem(error)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await door.start()
        try:
            with reading(metrics):
                async with beating(store, door, keys, rates), spools():
                    yield
        finally:
            await door.stop()
            for threads in (parsers, looks, counts, hands, readiness):
                threads.close()

    own: dict[str, Endpoint] = {
        "send_events": events.post,
        "send_hook": hooks.post,
        "ask_hook": hooks.ask,
        "send_hook_with_secret": hooks.post,
        "show_event": shows.show,
        "healthz": healthz,
        "readyz": readyz,
        "metrics": show_metrics,
        "openapi": show_document,
    }
    app = Starlette(
        routes=[
            Route(
                one.path,
                answering(desk.answering(one) if one.handler else own[one.name]),
                methods=[one.method],
            )
            for one in ROUTES
        ],
        exception_handlers={HTTPException: not_routed},
        lifespan=lifespan,
    )
    app.state.release = watch.release  # whoever waits would keep the server from its end
    app.router.redirect_slashes = False  # a redirect would name the Host that a client made up
    return app


def _methods_at(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods that an address takes, by whichever of its routes."""
    there = (
        one for one in routes if isinstance(one, Route) and one.matches(scope)[0] is not Match.NONE
    )
    return sorted({method for one in there for method in one.methods or ()})


@cache
def _document() -> bytes:
    return orjson.dumps(describe(ROUTES))


def _room(limits: ApiLimits, config: Settings, parsers: Parsers) -> Room:
    largest = max(config.max_batch_bytes, config.max_body_bytes)
    most = max(limits.bytes_in_hand, largest)
    share = max(int(most * limits.share), largest)
    return Room(most, share=share, after_large=parsers.trim_soon)


async def _count(counts: Aside, store: Store) -> Counted | None:
    def count() -> Counted:
        with store.read() as tx:
            return Counted(
                states=count_states(tx),
                blocked=count_blocked_circuits(tx),
                held=count_held(tx),
                incidents=count_incident_states(tx),
                alerts=count_alerts(tx),
                approvals=count_waiting(tx),
            )

    try:
        return await counts.run(count)
    except StoreUnavailable:
        return None
