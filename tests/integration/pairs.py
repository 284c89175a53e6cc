"""The pairs of store and broker that the stories are told on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from orchestrator.embedded.child import EmbeddedServer
from tests.servers.rabbitmq import add_vhost

PAIRS = ["sqlite+valkey", "postgresql+valkey", "postgresql+rabbitmq"]
ENDS = ["sqlite+valkey", "postgresql+rabbitmq"]
"""Each store and each broker once: enough where nothing is killed between the two."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An empty store, and an empty broker."""

    store_url: str
    broker: EmbeddedServer | None = None  # none: a Valkey of the system's own


def empty_broker_on(server: EmbeddedServer) -> EmbeddedServer:
    """A part of a running RabbitMQ that no other test sees; it starts the server if need be."""
    if not server.process.running:
        server.process.start()
    return replace(server, url=add_vhost(server, f"test-{uuid.uuid4().hex[:12]}"))
