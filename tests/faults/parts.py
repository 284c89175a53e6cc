"""The parts of a run: which processes there are, and how each is started."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.ready import answers, says
from tests.faults.clocks import SteppedClock
from tests.integration.system import QUICK

_RELAYS, _WORKERS = 2, 3
_LATENCY = "0.01"  # seconds; a call that takes no time is hardly ever under way when something dies


class Sort(StrEnum):
    """What a part is for."""

    DOOR = "door"
    RELAY = "relay"
    WORKER = "worker"
    BROKER = "broker"
    STORE = "store"
    DESTINATION = "destination"


@dataclass(eq=False, kw_only=True)
class Part:
    """One process, or one server."""

    name: str
    sort: Sort
    child: Child
    address: str = ""  # a door's


@dataclass(frozen=True, kw_only=True)
class Startable:
    """A part before its start."""

    sort: Sort
    program: Program
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where the sandbox is, and what requests to it must bear."""

    url: str
    token: str


def new_destination() -> Destination:
    """An address that nobody listens on yet."""
    return Destination(url=f"http://127.0.0.1:{free_port()}", token=secrets.token_hex(8))


def environment_of(
    home: Path, store_url: str, broker_url: str, sandbox: Destination
) -> dict[str, str]:
    """What every part is told."""
    return {
        **QUICK,
        "MESHLINE_HOME": str(home),
        "MESHLINE_DATABASE_URL": store_url,
        "MESHLINE_BROKER_URL": broker_url,
        "MESHLINE_CONNECTORS": str(home / "connectors"),
        "MESHLINE_SANDBOX_URL": sandbox.url,
        "MESHLINE_SANDBOX_TOKEN": sandbox.token,
    }


def sandbox_program(sandbox: Destination, environment: Mapping[str, str]) -> Program:
    """The destination."""
    port = str(urlsplit(sandbox.url).port)
    command = ("orchestrator.sandbox.server", "--port", port, "--latency", _LATENCY)
    return _program("destination", command, environment, answers(f"{sandbox.url}/healthz"))


def startables(
    environment: Mapping[str, str], *, doors: int, clock: SteppedClock | None
) -> list[Startable]:
    """Doors, relays and workers; the last worker lives by the clock, where there is one."""
    found = [_door(number, environment) for number in range(1, doors + 1)]
    for number in range(1, _RELAYS + 1):
        name, ready = f"relay-{number}", says("relaying")
        program = _program(name, ("workers.relay",), environment, ready)
        found.append(Startable(sort=Sort.RELAY, program=program))
    for number in range(1, _WORKERS + 1):
        # One with two processes, so that one of them can die beside the other.
        count = "2" if number == 1 else "1"
        command = ("orchestrator.cli.main", "worker", "--processes", count)
        program = _program(f"worker-{number}", command, environment, says(" ready."))
        if number == _WORKERS and clock is not None:
            program = replace(program, environment={**environment, **clock.environment})
        found.append(Startable(sort=Sort.WORKER, program=program))
    return found


def _door(number: int, environment: Mapping[str, str]) -> Startable:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = ("orchestrator.cli.main", "api", "--port", str(port))
    program = _program(f"door-{number}", command, environment, answers(f"{address}/healthz"))
    return Startable(sort=Sort.DOOR, program=program, address=address)


def _program(
    name: str,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    ready: Callable[[Child], bool],
) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-m", *arguments),
        environment=environment,
        ready=ready,
        ready_within=60,
        stop_within=10,
    )
