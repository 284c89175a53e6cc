"""The door: started beside the rest of ours, with events that come in by real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection

import orjson

from benchmarks.http.load import DOOR, Load, run_load
from benchmarks.stand import Session, Stand, python
from benchmarks.systems.meshline import Meshline, Opened, opened
from benchmarks.workload import CLIENT, TOGETHER, TYPE, order
from orchestrator.domain.access.actor import login
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.operations.access.keys import create_key


class Door:
    """A running door, and how it is sent to."""

    def __init__(self, session: Session, ours: Opened) -> None:
        key = create_key(ours.store, clients=[CLIENT], label="bench", actor=login("bench"))
        port = free_port()
        command = ("orchestrator.cli.main", "api", "--port", str(port))
        door = python("door", *command, ready="door: http", environment=ours.environment)
        session.start(door)
        self.load = Load(kind=DOOR, address=f"{LOOPBACK}:{port}", key=key)


class MeshlineWithDoor(Meshline):
    """All of ours, with events that come in by the door one by one."""

    def __init__(self, session: Session, ours: Opened) -> None:
        super().__init__(session, ours)
        self.door = Door(session, ours)
        self._connection = HTTPConnection(self.door.load.address)

    def accept(self, first: int, count: int) -> None:
        """Send events in batches."""
        run_load(replace(self.door.load, first=first, count=count, together=TOGETHER))

    def time_one(self, number: int) -> float:
        """Seconds from before the request until the event is seen delivered."""
        event = {"client": CLIENT, "type": TYPE, "data": order(number)}
        headers = {
            "Authorization": f"Bearer {self.door.load.key}",
            "Content-Type": "application/json",
        }
        start = time.perf_counter()
        self._connection.request("POST", "/v1/events", orjson.dumps(event), headers)
        with self._connection.getresponse() as answer:
            accepted = orjson.loads(answer.read())
        self.wait_until_delivered(accepted["id"])
        return time.perf_counter() - start


@contextmanager
def running_meshline_with_door(stand: Stand, store: str) -> Iterator[MeshlineWithDoor]:
    """All of ours on a new database."""
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url) as ours,
    ):
        yield MeshlineWithDoor(session, ours)
