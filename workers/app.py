"""The Celery app of the workers, and what each worker process holds open."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.signals import worker_process_shutdown, worker_ready
from kombu.transport import TRANSPORT_ALIASES

from connectors.registry import close_connectors, load_connectors
from orchestrator.domain.handoff import Connector
from orchestrator.settings import Settings, settings
from orchestrator.store.engine import Store
from orchestrator.store.migrate import open_store
from orchestrator.store.workflows import WorkflowShelf
from workers.gatekeeper import Gatekeeper
from workers.queues import queue_config

# By name, so that an address keeps its scheme: Kombu knows by it whether to speak TLS.
TRANSPORT_ALIASES.update(
    dict.fromkeys(("redis", "rediss"), "workers.redis_channel:GuardedTransport")
)
app = Celery("meshline", include=["workers.chain"])
app.add_defaults(lambda: settings().celery_config() | queue_config(settings().broker))


class Process:
    """What one worker process holds open; made after the fork, on first use."""

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.connectors: Mapping[str, Connector] = load_connectors(config.connectors)
        self.store: Store = open_store(config.store_url)
        self.shelf = WorkflowShelf()
        self.gatekeeper = Gatekeeper(self.connectors)
        # One event loop for the life of the process: connections to destinations stay open.
        self.loop = asyncio.Runner()

    def close(self) -> None:
        """Give every connection back."""
        self.loop.run(close_connectors(self.connectors))
        self.loop.close()
        self.store.close()


@functools.cache
def process() -> Process:
    """This worker process."""
    return Process(settings())


@worker_ready.connect
def _tell_ready(**_: Any) -> None:
    print("worker: ready.", flush=True)  # the log's level hides Celery's own word for it


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    if process.cache_info().currsize:
        process().close()
