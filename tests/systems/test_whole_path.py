"""From the door to two real systems and back: one trigger, one ticket, one message, both proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import catalog, load_connectors
from meshline import Producer
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.views.events.show import EventView, show_event
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system
from tests.leads import TEXT
from tests.systems.cutting import Wire
from tests.systems.helpdesk import PASSWORD, USER, Helpdesk
from tests.systems.rigs import shipped, write_definition
from tests.systems.synapse import Synapse

WORKFLOW = (
    TEXT[: TEXT.index("routes:")]
    + """\
routes:
  - {when: 'true', to: [desk, room]}
destinations:
  desk:
    connector: django-helpdesk-here
    action: create_ticket
    send: {queue: '1', title: '"Onboard " + email', description: '"A new lead."', priority: '3',
           submitter_email: email}
    confirm: [queue, title, priority, submitter_email]
  room:
    connector: matrix-here
    action: send_notice
    send: {room: '"ROOM"', text: '"New lead: " + email'}
    confirm: [room, text]
retries: {limit: 8, first: 500ms, factor: 2, ceiling: 5s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)

UNHURRIED = {
    "MESHLINE_DISPATCH_BUDGET_SECONDS": "12",
    "MESHLINE_TASK_TIME_LIMIT_SECONDS": "16",
    "MESHLINE_VISIBILITY_TIMEOUT_SECONDS": "20",
    "MESHLINE_LEASE_SECONDS": "25",
}
"""A real helpdesk takes its time, and a handoff has half of a dispatch's."""


@pytest.mark.processes
def test_a_trigger_at_the_door_becomes_one_ticket_and_one_message_though_an_answer_is_lost(
    tmp_path: Path,
    helpdesk: Helpdesk,
    helpdesk_wire: Wire,
    synapse: Synapse,
    synapse_wire: Wire,
) -> None:
    account = synapse.register("meshline")
    home = tmp_path / "home"
    with running_system(home, Pair(store_url=f"sqlite:///{tmp_path / 'store.db'}")) as system:
        folder = home / "connectors"
        quick = shipped("django-helpdesk").replace("settle: 15s", "settle: 1s")
        actions = quick[quick.index("actions:") :]
        write_definition(folder, "django-helpdesk", helpdesk_wire.url, more=actions)
        write_definition(folder, "matrix", synapse_wire.url)
        system.environment |= UNHURRIED | {
            "MESHLINE_HELPDESK_USER": USER,
            "MESHLINE_HELPDESK_PASSWORD": PASSWORD,
            "MESHLINE_MATRIX_TOKEN": account.token,
        }
        publish(system, folder, room=account.room)
        system.start_relay()
        system.start_worker(processes=1)
        door = system.start_door()
        helpdesk_wire.lose_answer_to("POST /api/tickets/")

        event = emit_and_wait(system, door)

    deliveries = {one.destination: one for one in event.deliveries}
    assert event.state == "delivered"
    assert {name: one.state for name, one in deliveries.items()} == {
        "desk": "confirmed",
        "room": "confirmed",
    }
    assert helpdesk_wire.lost == 1
    assert helpdesk.count(f"{event.id}.desk") == 1
    assert deliveries["desk"].attempt >= 2
    said = [one["content"]["body"] for one in synapse.messages(account)]
    assert said == ["New lead: ana@example.com"]


def publish(system: System, folder: Path, *, room: str) -> None:
    connectors = catalog(load_connectors(folder))
    text = WORKFLOW.replace("ROOM", room)
    workflow = parse_workflow(text, name="leads.yaml", folder=None, catalog=connectors)
    publish_workflow(system.store, workflow, actor=login("cli:tester"))


def emit_and_wait(system: System, door: str) -> EventView:
    """One lead through the real door, and its event once it is settled."""
    key = create_key(system.store, clients=["acme"], label="form", actor=login("cli:tester"))
    with Producer(door, key=key, deadline=60) as producer:
        lead = {"email": "ana@example.com", "tier": "pro"}
        emitted = producer.emit("lead.created", lead, client="acme", idempotency_key="form-1")
    system.wait_until_settled(1)
    with system.store.read() as tx:
        event = show_event(tx, emitted.id)
    assert event is not None
    return event
