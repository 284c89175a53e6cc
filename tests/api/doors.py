"""A real door for a test: uvicorn in a thread, on a loopback port of its own."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from orchestrator.api.app import ApiLimits, build_app
from orchestrator.api.door import DoorLimits
from orchestrator.api.serve import DoorServer, listen
from orchestrator.domain.access.actor import login
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.leads import publish_leads
from tests.stores import open_new
from tests.waiting import wait_until

WAITING = "meshline_door_waiting"
LONG = 60.0  # seconds that a test keeps a commit waiting at most
LEAD = {"email": "ada@example.com", "tier": "pro"}


class RunningDoor:
    """What a test needs of a door: its address, a key, and ways to ask."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.key = key
        self.stop: Callable[[], None] = lambda: None  # begins to end the server
        self._http = httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=20, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def emit(self, **fields: object) -> httpx.Response:
        """Send one plain trigger; a lead, where nothing else is said."""
        return self.post({"type": "lead.created", "data": LEAD, **fields})

    def emit_batch(self, triggers: Sequence[object]) -> httpx.Response:
        """Send a plain batch."""
        return self.post(list(triggers), content_type="application/vnd.meshline.batch+json")

    def post(
        self, json: object, *, content_type: str = "application/json", key: str | None = None
    ) -> httpx.Response:
        """Send any JSON."""
        headers = {"content-type": content_type, **self.authorization(key)}
        return self._http.post("/v1/events", json=json, headers=headers)

    def post_raw(self, content: Any, **headers: str) -> httpx.Response:
        """Send any body; an underscore in a header's name is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        every = {"content-type": "application/json", **self.authorization(), **named}
        return self._http.post("/v1/events", content=content, headers=every)

    def get(self, path: str, *, key: str | None = None) -> httpx.Response:
        return self._http.get(path, headers=self.authorization(key))

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, without a key."""
        return self._http.request(method, path, **options)

    def authorization(self, key: str | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {key or self.key}"}

    def metric(self, name: str) -> float:
        """One sample of /metrics, 0.0 where there is none; `name` as it is written there."""
        text = self._http.get("/metrics").text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


@contextmanager
def leads_store(folder: Path) -> Iterator[Store]:
    """A store on SQLite in which the workflow of leads is live."""
    store = open_new(folder / "store" / "meshline.db")
    publish_leads(store)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_door(
    store: Store, settings: Settings | None = None, limits: ApiLimits | None = None
) -> Iterator[RunningDoor]:
    """A door before a store, until the end of the block; its key is for the client acme."""
    key = create_key(store, clients=["acme"], label="tests", actor=login("cli:tester"))
    with run_door(store, settings, limits, key=key) as door:
        yield door


@contextmanager
def run_door(
    store: Store, settings: Settings | None, limits: ApiLimits | None, *, key: str
) -> Iterator[RunningDoor]:
    """A door that nobody made a key for."""
    settings = settings or Settings(stop_seconds=5)
    limits = limits or ApiLimits(door=DoorLimits(commit_seconds=LONG), look_seconds=LONG)
    server = DoorServer(build_app(store, settings, limits), settings)
    with listen(LOOPBACK, 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        door = RunningDoor(listener.getsockname()[1], key)
        door.stop = partial(setattr, server, "should_exit", True)
        try:
            wait_until(lambda: server.started)
            yield door
        finally:
            door.close()
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()


@contextmanager
def nobody_can_write(store: Store) -> Iterator[None]:
    """The store as it is while somebody else holds SQLite's one write lock."""
    with store.engine.connect() as connection, connection.begin():
        yield


@contextmanager
def sent_together(
    door: RunningDoor, store: Store, calls: Sequence[Callable[[], httpx.Response]]
) -> Iterator[list[Future[httpx.Response]]]:
    """Requests that all wait for their commit inside the block, and get it when the block ends."""
    with ThreadPoolExecutor(max(1, len(calls))) as threads, nobody_can_write(store):
        sent: list[Future[httpx.Response]] = []
        for call in calls:  # one after the other: the order in which they wait is known
            waiting = door.metric(WAITING)
            sent.append(threads.submit(call))
            wait_until(partial(_more_wait, door, waiting))
        yield sent


def _more_wait(door: RunningDoor, before: float) -> bool:
    return door.metric(WAITING) > before


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, checked for what every one of them has."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert all(document[name] for name in ("type", "title", "detail", "fix"))
    assert "Traceback" not in answer.text
    return document


def head(door: RunningDoor, *headers: str) -> bytes:
    lines = (
        "POST /v1/events HTTP/1.1",
        "host: door",
        f"authorization: Bearer {door.key}",
        "content-type: application/json",
        *headers,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def read_to_end(sender: socket.socket) -> bytes:
    sender.settimeout(20)
    found = b""
    while more := sender.recv(65536):
        found += more
    return found
