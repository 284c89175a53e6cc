"""A whole Meshline in one process: door, relay, worker; a broker and a destination in memory."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

from celery.app.trace import trace_task_ret
from kombu.simple import SimpleQueue

from connectors.registry import catalog
from orchestrator.api.app import build_app
from orchestrator.api.serve import DoorServer, listen
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.settings import LOOPBACK, settings
from orchestrator.store.views.events.show import show_event
from workers.app import Process, app
from workers.app import process as this_process
from workers.relay import Relay

_ACTOR = "cli:trace"
_CLIENT = "acme"
_TYPE = "lead.created"
_FAKE = """\
connector: crm
kind: fake
actions: {record: {idempotency: lookup, proof: read_back, open_fields: true}}
"""
_WORKFLOW = """\
workflow: leads
client: acme
title: New leads reach the desk
trigger: {type: lead.created}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  additionalProperties: false
  required: [email, tier]
  properties:
    email: {type: string, format: email}
    tier: {enum: [enterprise, pro]}
facts: {email: data.email, tier: data.tier}
routes:
  - {when: 'tier in ["enterprise", "pro"]', to: [crm]}
destinations:
  crm: {connector: crm, action: record, send: {email: email, tier: tier}, confirm: [email, tier]}
sla: {deliver_within: 15m, recover_within: 72h}
"""


def environment(folder: Path) -> dict[str, str]:
    """The settings of this process; what is done now and then by the clock is done seldom."""
    definitions = folder / "connectors"
    definitions.mkdir()
    (definitions / "crm.yaml").write_text(_FAKE)
    return {
        "MESHLINE_HOME": str(folder),
        "MESHLINE_DATABASE_URL": f"sqlite:///{folder / 'meshline.db'}",
        "MESHLINE_CONNECTORS": str(definitions),
        "MESHLINE_BROKER_URL": "redis://127.0.0.1:1/0",  # nobody calls there: see `open_house`
        "MESHLINE_POLL_SECONDS": "600",
    }


@dataclass(frozen=True, kw_only=True)
class DoorClient:
    """One connection to the door; a request goes out in one piece, so that it is read in one."""

    connection: socket.socket
    key: str

    def post(self, trigger: object) -> str:
        """The accepted event's id. Raises RuntimeError where the door does not take it."""
        body = json.dumps(trigger)
        head = (
            "POST /v1/events HTTP/1.1",
            f"host: {LOOPBACK}",
            f"authorization: Bearer {self.key}",
            "content-type: application/json",
            f"content-length: {len(body)}",
        )
        self.connection.sendall("\r\n".join((*head, "", body)).encode())
        answer = HTTPResponse(self.connection, method="POST")
        answer.begin()
        said = answer.read()
        if answer.status != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"the door answered {answer.status}: {said!r}")
        return str(json.loads(said)["id"])


@dataclass(frozen=True, kw_only=True)
class House:
    """What plays one event, a step at a time."""

    worker: Process
    relay: Relay
    door: DoorClient
    queue: SimpleQueue

    def accept(self, payload: object) -> str:
        """Send an event to the door; its id."""
        return self.door.post({"type": _TYPE, "data": payload})

    def claim(self) -> None:
        """Let the relay claim what is due and publish its chain."""
        self.relay.turn()

    def run_next(self) -> None:
        """Take a message from the broker and run its task, as a pool's process does."""
        message = self.queue.get(timeout=10)
        message.ack()
        headers = message.headers
        failed, *_ = trace_task_ret(
            headers["task"], headers["id"], headers, message.body,
            message.content_type, message.content_encoding, app=app,
        )  # fmt: skip
        if failed:
            raise RuntimeError(f"{headers['task']} failed")

    def check(self, event_id: str, state: str) -> None:
        """Raise RuntimeError where the event is in another state than it should be."""
        with self.worker.store.read() as tx:
            event = show_event(tx, event_id)
        if event is None or event.state != state:
            raise RuntimeError(f"event {event_id} is not {state}: {event}")


@contextmanager
def open_house() -> Iterator[House]:
    """Everything open, the workflow live. The settings have to be in the environment."""
    app.conf.broker_url = "memory://"
    worker = this_process()
    store = worker.store
    known = catalog(worker.connectors)
    workflow = parse_workflow(_WORKFLOW, name="leads.yaml", folder=None, catalog=known)
    publish_workflow(store, workflow, actor=login(_ACTOR))
    key = create_key(store, clients=[_CLIENT], label="trace", actor=login(_ACTOR))
    with (
        closing(worker),
        _open_door(worker, key) as door,
        app.connection_for_read() as broker,
        closing(broker.SimpleQueue("meshline")) as queue,
    ):
        yield House(worker=worker, relay=Relay(store, settings()), door=door, queue=queue)


@contextmanager
def _open_door(worker: Process, key: str) -> Iterator[DoorClient]:
    server = DoorServer(build_app(worker.store, settings()), settings())
    with listen(LOOPBACK, 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            with socket.create_connection(listener.getsockname()[:2]) as connection:
                yield DoorClient(connection=connection, key=key)
        finally:
            server.should_exit = True
            thread.join()
