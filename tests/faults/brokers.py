"""The brokers of a run, which may be emptied, and may lose their files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol

import redis
from kombu.connection import Connection

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.valkey import start_valkey
from tests.faults.plan import Pair


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
        from orchestrator.embedded.rabbitmq import start_rabbitmq

        self._folder = home / "rabbitmq"
        self.server = start_rabbitmq(self._folder, supervisor)

    def empty(self) -> int:
        """Purge the queue; what a worker has in hand stays with it."""
        connection: Any = Connection(self.server.url, connect_timeout=5)
        with connection:
            try:
                return int(connection.default_channel.queue_purge("meshline"))
            except connection.channel_errors:  # wiped, and nobody has declared it again yet
                return 0

    def forget(self) -> None:
        """Queues, messages and users go; the configuration makes the user anew."""
        shutil.rmtree(self._folder / "mnesia", ignore_errors=True)


def start_broker(pair: Pair, home: Path, supervisor: Supervisor) -> Broker:
    """The broker of a pair. Raises StartupFailed."""
    return RabbitMQ(home, supervisor) if pair is Pair.RABBITMQ else Valkey(home, supervisor)
