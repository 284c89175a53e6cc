"""A whole Meshline under the fuzzer: door, relay, worker, sandbox, and what they write."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.ready import answers
from orchestrator.operations.access.keys import create_key
from tests.fuzz.bounds import MEMORY, Finding, Kind
from tests.fuzz.plants import SECRET
from tests.fuzz.requests import is_private
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system

_PIECE = 1024 * 1024  # bytes of a log that are looked through at once


class FuzzedSystem:
    """What is fuzzed, and how its health is read: processes, memory, logs."""

    def __init__(self, system: System, home: Path, secret: str) -> None:
        self.system = system
        self.secret = secret
        self.key = create_key(
            system.store, clients=["acme"], label="fuzz", actor=login("cli:fuzzer")
        )
        self.port = free_port()
        self._logs = home / "logs"
        self._read: dict[Path, int] = {}
        self.door = self._start_door()
        system.start_sandbox()
        self.relay = system.start_relay()
        self.worker = system.start_worker(processes=1)
        self._born = {child.program.name: child.pid for child in self._children()}
        self._begun = {child.program.name: _memory(child) for child in self._children()}

    def findings(self, surface: str) -> Iterator[Finding]:
        """What is wrong now: a process that ended, memory, and what the logs said since."""
        for child in self._children():
            name = child.program.name
            if not child.running:
                yield _found(Kind.CRASHED, surface, child.obituary())
                child.start()
                self._begun[name] = _memory(child)
            elif (grown := _memory(child) - self._begun[name]) > MEMORY:
                yield _found(
                    Kind.SLOW, surface, f"{name} took {grown / 2**20:.0f} MiB and kept them"
                )
                self._begun[name] = _memory(child)
        yield from self._in_logs(surface)

    def _children(self) -> tuple[Child, ...]:
        return self.door, self.relay, self.worker

    def _in_logs(self, surface: str) -> Iterator[Finding]:
        for path in sorted(self._logs.glob("*.log")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                while piece := file.read(_PIECE):
                    text = piece.decode(errors="replace")
                    if "Traceback (most recent call last)" in text:
                        yield _found(
                            Kind.CRASHED, surface, f"a traceback in {path.name}: {text[:1500]}"
                        )
                    for line in text.splitlines():
                        if self.secret in line or self.key in line:
                            yield _found(Kind.LEAKED, surface, f"{path.name}: a secret in: {line}")
                        if is_private(line):
                            detail = f"{path.name}: a person's address in: {line}"
                            yield _found(Kind.LEAKED, surface, detail)
                self._read[path] = file.tell()

    def _start_door(self) -> Child:
        program = Program(
            name="door",
            command=(sys.executable, "-m", "tests.fuzz.plants", "api", "--port", str(self.port)),
            environment=self.system.environment,
            ready=answers(f"http://127.0.0.1:{self.port}/healthz"),
            ready_within=60,
            stop_within=10,
        )
        return self.system._supervisor.start(program)

    def wait_until_at_rest(self, seconds: float) -> Finding | None:
        """Wait until every accepted event is at rest; None when they are."""
        end = time.monotonic() + seconds
        moving = {"accepted", "validated", "routed"}
        while True:
            counts = self.system.counts()
            left = sum(count for state, count in counts.items() if state in moving)
            if not left:
                return None
            if time.monotonic() > end:
                return _found(Kind.SLOW, "door", f"{left} events are not at rest: {counts}")
            time.sleep(0.2)


@contextmanager
def fuzzed_system(home: Path, plant: str | None) -> Iterator[FuzzedSystem]:
    """A system of its own, until the end of the block."""
    secret = secrets.token_hex(16)
    store = Pair(store_url=f"sqlite:///{home / 'store.db'}")
    for name, value in {SECRET: secret, "PLANT": plant or ""}.items():
        os.environ[name] = value
    with running_system(home / "system", store) as system:
        take_quick_connectors(home / "system" / "connectors")
        publish(system)
        yield FuzzedSystem(system, home / "system", secret)


def _memory(child: Child) -> int:
    """Bytes of a process and of all that it started."""
    try:
        top = psutil.Process(child.pid)
        return sum(one.memory_info().rss for one in (top, *top.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _found(kind: Kind, surface: str, detail: str) -> Finding:
    return Finding(kind=kind, surface=surface, number=-1, detail=detail)
