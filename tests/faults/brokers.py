"""The brokers of a run, which may be emptied, and may lose their files."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, Protocol

import redis
from kombu.connection import Connection

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.valkey import start_valkey
from tests.faults.plan import Pair

_LEADER_WITHIN, _PAUSE = 30.0, 0.2  # seconds that a queue has to elect one, and between two tries


class Broker(Protocol):
    """A broker that a run may do anything to."""

    server: EmbeddedServer

    def empty(self) -> int:
        """Take every message away while it runs; how many lay there for a worker."""

    def forget(self) -> None:
        """Take its files away while it is down."""


class Valkey:
    """Valkey with an append-only file that is synced every second."""

    def __init__(self, home: Path, supervisor: Supervisor) -> None:
        self._folder = home / "valkey"
        self.server = start_valkey(self._folder, supervisor)

    def empty(self) -> int:
        """FLUSHALL."""
        with redis.Redis.from_url(self.server.url) as connection:
            lying = connection.llen("meshline:meshline")
            connection.flushall()
        return int(lying)

    def forget(self) -> None:
        """The append-only file goes."""
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)


class RabbitMQ:
    """RabbitMQ with its quorum queues."""

    def __init__(self, home: Path, supervisor: Supervisor) -> None:
        from tests.servers.rabbitmq import start_rabbitmq

        self._folder = home / "rabbitmq"
        self.server = start_rabbitmq(self._folder, supervisor)

    def empty(self) -> int:
        """Purge the queue; what a worker has in hand stays with it."""
        end = time.monotonic() + _LEADER_WITHIN
        while True:
            connection: Any = Connection(self.server.url, connect_timeout=5)
            try:
                with connection:
                    return int(connection.default_channel.queue_purge("meshline"))
            except connection.channel_errors:  # wiped, and nobody has declared it again yet
                return 0
            except connection.connection_errors:
                # A quorum queue that has just come up has no leader yet: 541 closes the connection.
                if time.monotonic() > end:
                    raise
                time.sleep(_PAUSE)

    def forget(self) -> None:
        """Queues, messages and users go; the configuration makes the user anew."""
        shutil.rmtree(self._folder / "mnesia", ignore_errors=True)


def start_broker(pair: Pair, home: Path, supervisor: Supervisor) -> Broker:
    """The broker of a pair. Raises StartupFailed."""
    return RabbitMQ(home, supervisor) if pair is Pair.RABBITMQ else Valkey(home, supervisor)
