"""A whole Meshline of real processes, as integration tests start it."""

from __future__ import annotations

import json
import secrets
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from kombu.connection import Connection

from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import answers, says
from orchestrator.embedded.valkey import start_valkey
from orchestrator.sandbox.ledger import read_ledger
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.events.counts import count_states
from tests.integration.pairs import Pair

QUICK = {
    "MESHLINE_DISPATCH_BUDGET_SECONDS": "3",
    "MESHLINE_TASK_TIME_LIMIT_SECONDS": "5",
    "MESHLINE_VISIBILITY_TIMEOUT_SECONDS": "6",
    "MESHLINE_LEASE_SECONDS": "8",
    "MESHLINE_POLL_SECONDS": "0.2",
    "MESHLINE_STOP_SECONDS": "5",
}
"""The clocks of a test: a crash is healed in seconds."""


class System:
    """Broker, relay, worker and sandbox around one store."""

    def __init__(self, supervisor: Supervisor, home: Path, pair: Pair) -> None:
        self._supervisor = supervisor
        self.broker = pair.broker or start_valkey(home / "valkey", supervisor)
        self._port, self._token = free_port(), secrets.token_hex(8)
        self.sandbox = f"http://127.0.0.1:{self._port}"
        self.environment = {
            **QUICK,
            "MESHLINE_HOME": str(home),
            "MESHLINE_DATABASE_URL": pair.store_url,
            "MESHLINE_BROKER_URL": self.broker.url,
            "MESHLINE_CONNECTORS": str(home / "connectors"),
            "MESHLINE_SANDBOX_URL": self.sandbox,
            "MESHLINE_SANDBOX_TOKEN": self._token,
        }
        self.store: Store = open_store(pair.store_url)
        self._counts_before: dict[str, int] = {}
        self._records_before: set[tuple[str, str]] = set()

    def begin_story(self) -> None:
        """Forget what earlier stories did: from now on, only what is new is waited for and told."""
        self._counts_before = self._all_counts()
        self._records_before |= {_name(one) for one in self._all_records()}
        self.mend_sandbox()

    def start_sandbox(self) -> None:
        """The destination, with records of its own."""
        self._start(
            "sandbox",
            ("orchestrator.sandbox.server", "--port", str(self._port)),
            ready=answers(f"{self.sandbox}/healthz"),
        )

    def start_relay(self, name: str = "relay") -> Child:
        """A relay."""
        return self._start(name, ("workers.relay",), ready=says("relaying"))

    def start_worker(self, name: str = "worker", *, processes: int = 2) -> Child:
        """A worker of some processes."""
        words = ("orchestrator.cli.main", "worker", "--processes", str(processes))
        return self._start(name, words, ready=says(" ready."))

    def start_keeper(self) -> Child:
        """A keeper."""
        return self._start("keeper", ("orchestrator.keeper.loop",), ready=says("keeping"))

    def start_door(self, name: str = "door") -> str:
        """A door; its address."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        words = ("orchestrator.cli.main", "api", "--port", str(port))
        self._start(name, words, ready=answers(f"{url}/healthz"))
        return url

    def broker_connection(self) -> Connection:
        """The broker as our processes see it; close it."""
        options = {"global_keyprefix": "meshline:"} if self._is_redis else {}
        return Connection(self.broker.url, transport_options=options)

    def lying(self) -> int:
        """How many messages lie on the broker that no worker has taken."""
        if self._is_redis:
            with redis.Redis.from_url(self.broker.url) as connection:
                return int(connection.llen("meshline:meshline"))
        with self.broker_connection() as broker:
            try:
                found = broker.default_channel.queue_declare("meshline", passive=True)
            except broker.channel_errors:
                return 0  # nobody has made the queue yet
            return int(found.message_count)

    def empty_broker(self) -> None:
        """Take away all that lies on the broker."""
        if self._is_redis:
            with redis.Redis.from_url(self.broker.url) as connection:
                connection.flushall()
            return
        with self.broker_connection() as broker:
            broker.default_channel.queue_purge("meshline")

    @property
    def _is_redis(self) -> bool:
        return self.broker.url.startswith("redis")

    def meshline(self, *arguments: str) -> Program:
        """A command line of ours, to be run to its end."""
        return self._program("meshline", ("orchestrator.cli.main", *arguments))

    def counts(self) -> dict[str, int]:
        """Events by state."""
        before = self._counts_before
        return {state: n - before.get(state, 0) for state, n in self._all_counts().items()}

    def _all_counts(self) -> dict[str, int]:
        with self.store.read() as tx:
            return dict(count_states(tx))

    def wait_until_settled(self, count: int, *, within: float = 90) -> dict[str, int]:
        """Wait until that many events are delivered, quarantined or discarded."""
        end = time.monotonic() + within
        while True:
            counts = self.counts()
            settled = counts["delivered"] + counts["quarantined"] + counts["discarded"]
            if settled >= count:
                return counts
            assert time.monotonic() < end, f"unsettled after {within:g} s: {counts}"
            time.sleep(0.1)

    def ledger(self, collection: str) -> list[Mapping[str, Any]]:
        """The sandbox's own records of one collection."""
        records = [one for one in self._all_records() if one["collection"] == collection]
        return [one for one in records if _name(one) not in self._records_before]

    def _all_records(self) -> list[Mapping[str, Any]]:
        return list(read_ledger(self.sandbox, self._token))

    def fail_next(self, mode: str, **how: object) -> None:
        """Let the sandbox's next requests go wrong."""
        self._ask_sandbox("POST", "/faults", {"mode": mode, **how})

    def mend_sandbox(self) -> None:
        """Take back what was to go wrong."""
        self._ask_sandbox("DELETE", "/faults")

    def _ask_sandbox(self, method: str, path: str, body: object = None) -> None:
        request = urllib.request.Request(
            f"{self.sandbox}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=10).close()

    def count_by_key(self, collection: str) -> Counter[str]:
        """How many records the sandbox has for each idempotency key."""
        return Counter(one["key"] for one in self.ledger(collection))

    def _start(self, name: str, arguments: tuple[str, ...], *, ready: Any) -> Child:
        program = self._program(name, arguments)
        return self._supervisor.start(
            Program(
                name=name,
                command=program.command,
                environment=program.environment,
                ready=ready,
                ready_within=60,
                stop_within=10,
            )
        )

    def _program(self, name: str, arguments: tuple[str, ...]) -> Program:
        command = (sys.executable, "-m", *arguments)
        return Program(name=name, command=command, environment=self.environment)


def _name(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["collection"], record["id"]


@contextmanager
def running_system(home: Path, pair: Pair) -> Iterator[System]:
    """A system whose broker runs; the test starts the rest as its story needs."""
    (home / "connectors").mkdir(parents=True)
    with Supervisor(home) as supervisor:
        system = System(supervisor, home, pair)
        try:
            yield system
        finally:
            system.store.close()
