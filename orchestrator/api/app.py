"""The door's addresses, and what stands behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.api.aside import Aside
from orchestrator.api.bodies import Room
from orchestrator.api.door import Door, DoorLimits
from orchestrator.api.events import Events
from orchestrator.api.heart import beating
from orchestrator.api.keys import REMEMBERED_SECONDS, KeyRing
from orchestrator.api.metrics import Counted, Metrics
from orchestrator.api.parsers import Parsers
from orchestrator.api.readiness import OK, Readiness
from orchestrator.api.remembered import Remembered
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.operations.manage_keys import check_key
from orchestrator.settings import Settings
from orchestrator.store.clocks.alert_views import count_alerts
from orchestrator.store.database.engine import Store
from orchestrator.store.views.destinations import count_blocked_circuits, count_held
from orchestrator.store.views.event_counts import count_states
from orchestrator.store.views.incidents import count_incident_states
from orchestrator.telemetry import reading

_COUNTED_SECONDS = 10.0  # counting goes over every event
_COUNTING_SECONDS = 8.0
_READING_THREADS = 4

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """What the door grants to all requests together; times in seconds."""

    door: DoorLimits = field(default_factory=DoorLimits)
    body_seconds: float = 30.0  # until the whole body has arrived
    bytes_in_hand: int = 64 * 1024 * 1024  # bodies that are read or wait for their commit
    share: float = 0.5  # of them that one key may have in hand; one body always
    key_seconds: float = REMEMBERED_SECONDS
    look_seconds: float = 2.0  # how long a look into the store is waited for


def build_app(store: Store, config: Settings, limits: ApiLimits | None = None) -> Starlette:
    """The door as an ASGI application; it writes between its lifespan's start and end."""
    limits = limits or ApiLimits()
    looks = Aside(
        "door-reader", StoreUnavailable, seconds=limits.look_seconds, threads=_READING_THREADS
    )
    counts = Aside("door-counter", StoreUnavailable, seconds=_COUNTING_SECONDS)
    parsers = Parsers()
    metrics = Metrics()
    door = Door(store, limits.door)
    events = Events(
        store=store,
        door=door,
        keys=KeyRing(lambda key: looks.run(check_key, store, key), seconds=limits.key_seconds),
        room=_room(limits, config),
        config=config,
        body_seconds=limits.body_seconds,
        looks=looks,
        parsers=parsers,
    )
    readiness = Readiness(store, config, door)
    states = Remembered(lambda: _count(counts, store), seconds=_COUNTED_SECONDS)

    async def healthz(_: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def readyz(_: Request) -> Response:
        found = await readiness.states()
        ready = found["store"] == OK
        body = orjson.dumps({"ready": ready, **found})
        return Response(body, 200 if ready else 503, media_type="application/json")

    async def show_metrics(_: Request) -> Response:
        text = metrics.render(await states.get(), waiting=door.waiting)
        return Response(text, media_type="text/plain; version=0.0.4")

    async def not_routed(_: Request, error: Exception) -> Response:
        return events.problem(error)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await door.start()
        try:
            with reading(metrics):
                async with beating(store, door):
                    yield
        finally:
            await door.stop()
            for threads in (parsers, looks, counts, readiness):
                threads.close()

    def route(method: str, path: str, endpoint: Endpoint) -> Route:
        return Route(path, _answering(events, endpoint), methods=[method])

    app = Starlette(
        routes=[
            route("POST", "/v1/events", events.post),
            route("GET", "/v1/events/{id}", events.show),
            route("GET", "/healthz", healthz),
            route("GET", "/readyz", readyz),
            route("GET", "/metrics", show_metrics),
        ],
        exception_handlers={HTTPException: not_routed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would name the Host that a client made up
    return app


def _room(limits: ApiLimits, config: Settings) -> Room:
    largest = max(config.max_batch_bytes, config.max_body_bytes)
    most = max(limits.bytes_in_hand, largest)
    return Room(most, share=max(int(most * limits.share), largest))


def _answering(events: Events, endpoint: Endpoint) -> Endpoint:
    """The endpoint, with every error turned into a problem document."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        except Exception as error:  # noqa: BLE001 - logged where it becomes an answer
            return events.problem(error)

    return answer


async def _count(counts: Aside, store: Store) -> Counted | None:
    def count() -> Counted:
        with store.read() as tx:
            return Counted(
                states=count_states(tx),
                blocked=count_blocked_circuits(tx),
                held=count_held(tx),
                incidents=count_incident_states(tx),
                alerts=count_alerts(tx),
            )

    try:
        return await counts.run(count)
    except StoreUnavailable:
        return None
