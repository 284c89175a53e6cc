"""A real worker with a store and a broker, and ways to put anything at all on its queue."""

from __future__ import annotations

import base64
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kombu.connection import Connection
from redis import Redis
from sqlalchemy import delete

from orchestrator.embedded.child import Child, EmbeddedServer, Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import dead_letters
from orchestrator.store.quarantine.dead_letters import LetterState
from orchestrator.store.views.quarantine.dead_letters import (
    LetterView,
    list_dead_letters,
    show_dead_letter,
)
from tests.waiting import eventually

CHAINS = "meshline"
COPIES = "meshline.dead-letter"
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message as a stranger sends it; as a rule all of it but one part is right."""

    body: bytes = b'[[["0197a0c0ffee70008000000000000001"], 1], {}, {}]'
    headers: Mapping[str, Any] | None = None
    content_type: str | None = JSON
    content_encoding: str | None = "utf-8"

    def envelope(self) -> dict[str, Any]:
        """The item that Kombu would put on a Redis list for it."""
        return {
            "body": base64.b64encode(self.body).decode(),
            "headers": dict(self.headers) if self.headers is not None else None,
            "content-type": self.content_type,
            "content-encoding": self.content_encoding,
            "properties": {
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
                "delivery_info": {"exchange": "", "routing_key": CHAINS},
                "delivery_mode": 2,
                "priority": 0,
            },
        }


def ours(task: str = "meshline.validate", **headers: object) -> dict[str, object]:
    """The headers of a chain's message, with changes."""
    return {"task": task, "id": "one.validate.1", "lang": "py", **headers}


class Rig:
    """One worker, its broker and its store."""

    def __init__(self, supervisor: Supervisor, home: Path, server: EmbeddedServer) -> None:
        self.server = server
        self.broker = server.url
        self._file = home / "store.db"
        store_url = f"sqlite:///{self._file}"
        self.store: Store = open_store(store_url)
        self.config = Settings(broker_url=server.url, database_url=store_url)
        self.environment = {
            "MESHLINE_HOME": str(home),
            "MESHLINE_DATABASE_URL": store_url,
            "MESHLINE_BROKER_URL": server.url,
            "MESHLINE_WORKER_PROCESSES": "1",
        }
        self.worker: Child = supervisor.start(
            Program(
                name="worker",
                command=(sys.executable, "-m", "orchestrator.cli.main", "worker"),
                environment=self.environment,
                ready=says(" ready."),
                ready_within=60,
                stop_within=10,
            )
        )

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of Kombu's own, as other tools have one."""
        options = self.config.celery_config()["broker_transport_options"]
        with Connection(self.broker, transport_options=options) as connection:
            yield connection.default_channel

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """The Redis below Kombu."""
        with Redis.from_url(self.broker) as client:
            yield client

    def put(self, sent: Sent) -> None:
        """Put a message on the chains' queue, on any broker."""
        with self.channel() as channel:
            message = channel.prepare_message(
                sent.body,
                content_type=sent.content_type,
                content_encoding=sent.content_encoding,
                headers=dict(sent.headers) if sent.headers is not None else None,
                properties={"delivery_mode": 2},
            )
            channel.basic_publish(message, exchange="", routing_key=CHAINS)

    def put_item(self, item: bytes) -> None:
        """Put bytes on Redis' list as they are."""
        with self.redis() as client:
            client.lpush(f"meshline:{CHAINS}", item)

    def letters(self) -> list[LetterView]:
        """The open dead letters, whole, the oldest first."""
        with self.store.read() as tx:
            heads = list_dead_letters(tx, state=LetterState.STANDING)
            shown = [show_dead_letter(tx, one.id) for one in reversed(heads)]
        return [one for one in shown if one]

    def copies(self) -> list[bytes]:
        """The bodies on the dead letters' queue, taken off it."""
        taken = []
        with self.channel() as channel:
            channel.auto_decode = False
            while message := channel.basic_get(COPIES, no_ack=True):
                taken.append(channel.message_to_python(message).body or b"")
        return taken

    def waits_for_nothing(self) -> bool:
        """Whether everything on the chains' queue was taken; on Redis also acknowledged.

        The worker takes one message at a time: one that it took and left unacknowledged would keep
        it from the next.
        """
        if self.broker.startswith("redis"):
            with self.redis() as client:
                left = (client.llen(f"meshline:{CHAINS}"), client.zcard("meshline:unacked_index"))
            return left == (0, 0)
        with self.channel() as channel:
            return int(channel.queue_declare(CHAINS, passive=True).message_count) == 0

    def works(self) -> bool:
        """Whether the worker still takes a message of ours and is done with it."""
        self.put(Sent(headers=ours(id=str(uuid.uuid4()))))
        self.put(Sent(headers=ours(id=str(uuid.uuid4()))))
        return eventually(self.waits_for_nothing) and self.worker.running

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """The worker finds no database where its store was, for the length of the block."""
        aside = self._file.with_suffix(".aside")
        self._file.rename(aside)
        self._file.mkdir()
        try:
            yield
        finally:
            self._file.rmdir()
            aside.rename(self._file)

    def forget(self) -> None:
        """Empty everything, for the next story."""
        with self.store.write() as tx:
            tx.execute(delete(dead_letters))
        self.copies()
