"""The Celery app of the workers, and what each worker process holds open."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, worker_process_shutdown, worker_ready
from kombu.transport import TRANSPORT_ALIASES

from connectors.registry import close_connectors, load_known
from orchestrator.broker import chains_queue
from orchestrator.domain.delivery.handoff import Connector
from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.operations.dispatch.admit_deliveries import Admission
from orchestrator.operations.tokens.opening import vault_of
from orchestrator.settings import Settings, settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.telemetry_log import log_telemetry
from workers.deciding import own_note

# By name, so that an address keeps its scheme: Kombu knows by it whether to speak TLS.
TRANSPORT_ALIASES.update(
    {
        **dict.fromkeys(("redis", "rediss"), "workers.guard.redis_channel:GuardedTransport"),
        **dict.fromkeys(("amqp", "pyamqp"), "workers.guard.amqp_channel:GuardedTransport"),
        "amqps": "workers.guard.amqp_channel:GuardedTlsTransport",
    }
)
app = Celery("meshline", include=["workers.chain", "workers.heart"])
app.add_defaults(
    lambda: {
        **settings().celery_config(),
        "task_queues": [chains_queue(settings().broker)],
        "worker_consumer": "workers.guard.consumer:GuardedConsumer",
    }
)


_node: str | None = None


def node_name() -> str | None:
    """The worker's name on the broker, which all its processes share; None outside of one."""
    return _node


@celeryd_init.connect
def _remember_name(sender: str, **_: Any) -> None:
    global _node  # noqa: PLW0603 - known before the fork, and the same in every process after it
    _node = sender


class Process:
    """What one worker process holds open; made after the fork, on first use."""

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.store: Store = open_store(config.store_url)
        known = load_known(
            config.connectors,
            tokens=vault_of(
                self.store,
                key=config.token_key_text,
                home=config.home_of_store,
                actor="worker:dispatch",
            ),
        )
        self.connectors: Mapping[str, Connector] = {
            name: one.connector for name, one in known.items()
        }
        self.shelf = WorkflowShelf()
        # Read once with the connectors: what calls is what was compared.
        self.definitions = {name: one.digest() for name, one in known.items()}
        self.admission = Admission(self.connectors, definitions=self.definitions)
        self.note = own_note()
        # No turn of calls takes longer than half of a dispatch's budget after it began.
        self.pulse = Pulse(
            self.store,
            ProcessKind.WORKER,
            longest_turn_seconds=config.dispatch_turn_seconds + config.dispatch_budget_seconds,
            instance=node_name(),
        )
        # One event loop for the life of the process: connections to destinations stay open.
        self.loop = asyncio.Runner()

    def close(self) -> None:
        """Give every connection back."""
        self.pulse.end()
        self.loop.run(close_connectors(self.connectors))
        self.loop.close()
        self.store.close()


@functools.cache
def process() -> Process:
    """This worker process."""
    log_telemetry()
    return Process(settings())


@worker_ready.connect
def _tell_ready(**_: Any) -> None:
    print("worker: ready.", flush=True)  # the log's level hides Celery's own word for it


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    if process.cache_info().currsize:
        process().close()
