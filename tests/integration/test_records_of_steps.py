"""A made-up system, connected by one file, has everything once though workers are killed.

The system folds nothing, has no upsert, and makes a ticket by three requests. Its own records say
what arrived.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from tests.atelier.server import Atelier, Running
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system

ATELIER = Path(__file__).parents[1] / "atelier" / "atelier.yaml"
WORKFLOW = """\
workflow: newcomers
client: acme
title: Newcomers have a contact and a ticket
trigger: {type: person.joined}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  additionalProperties: false
  required: [email, name, city, seats]
  properties:
    email: {type: string, format: email}
    name: {type: string}
    city: {type: string}
    seats: {type: integer}
facts: {email: data.email, name: data.name, city: data.city, seats: data.seats}
routes:
  - {when: 'seats > 0', to: [contact, ticket]}
destinations:
  contact:
    connector: atelier
    action: keep_contact
    send: {email: email, name: name, seats: seats}
    confirm: [email, name, seats]
  ticket:
    connector: atelier
    action: open_ticket
    send: {subject: '"Onboard " + name', text: '"Hello " + name', city: city, note: email}
    confirm: [subject, text, city, note]
retries: {limit: 8, first: 500ms, factor: 2, ceiling: 5s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
PEOPLE = 60
KILLED_AT = (
    r"POST /api/contacts$",
    r"PATCH /api/contacts/",
    r"POST /api/tickets$",
    r"POST /api/tickets/\d+/messages$",
    r"PUT /api/tickets/\d+/address$",
)


class Killer:
    """Kills a worker while an answer to one request is held back: the request itself is done."""

    def __init__(self, atelier: Atelier) -> None:
        self._pattern = re.compile("(?!)")
        self._reached, self._dead = threading.Event(), threading.Event()
        atelier.held = self._holds

    def _holds(self, said: str) -> bool:
        if not self._pattern.match(said):
            return False
        self._reached.set()
        return not self._dead.is_set()

    def kill_at(self, pattern: str, pid: int) -> None:
        """SIGKILL the worker and all its processes once such a request is done."""
        self._reached.clear()
        self._dead.clear()
        self._pattern = re.compile(pattern)
        assert self._reached.wait(60), f"nobody asked for {pattern}"
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            os.kill(process.pid, signal.SIGKILL)
        self._pattern = re.compile("(?!)")
        self._dead.set()


@pytest.mark.processes
@pytest.mark.parametrize("pair", ["sqlite+valkey", "postgresql+rabbitmq"], indirect=True)
def test_a_system_of_one_file_has_everything_once_though_workers_are_killed(
    tmp_path: Path, pair: Pair
) -> None:
    home, atelier = tmp_path / "home", Atelier()
    for number in range(0, PEOPLE, 2):  # every second one is there already
        atelier.put("contacts", email=email(number), name="?", seats=0, phone="1")
    with Running(atelier) as running, running_system(home, pair) as system:
        system.environment["ATELIER_URL"] = running.url
        (home / "connectors" / "atelier.yaml").write_text(ATELIER.read_text())
        publish(system)
        system.start_relay()
        accept_batch(system.store, list(map(person, range(PEOPLE))), actor="key:test")

        killer = Killer(atelier)
        for number, pattern in enumerate(KILLED_AT):
            worker = system.start_worker(f"worker-{number}", processes=1)
            killer.kill_at(pattern, worker.pid)
        system.start_worker("worker")
        counts = system.wait_until_settled(PEOPLE)

    assert counts["delivered"] == PEOPLE, counts
    assert stands_once(atelier)


def email(number: int) -> str:
    return f"person-{number}@example.com"


def person(number: int) -> Trigger:
    payload = {"email": email(number), "name": f"N{number}", "city": f"C{number}", "seats": 3}
    return Trigger(
        client="acme",
        type="person.joined",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=f"form-{number}",
    )


def publish(system: System) -> None:
    known = catalog(load_connectors(ATELIER.parent))
    workflow = parse_workflow(WORKFLOW, name="people.yaml", folder=None, catalog=known)
    publish_workflow(system.store, workflow, actor=login("cli:tester"))


def stands_once(atelier: Atelier) -> bool:
    """Whether everybody has one contact and one whole ticket, by the system's own records."""
    everybody = range(PEOPLE)
    contacts = Counter(one["email"] for one in atelier.all("contacts"))
    assert contacts == Counter(map(email, everybody))
    assert all(one["seats"] == 3 and one["name"] != "?" for one in atelier.all("contacts"))
    assert sum(one.get("phone") == "1" for one in atelier.all("contacts")) == PEOPLE // 2
    tickets = atelier.records["tickets"]
    subjects = Counter(kept.fields["subject"] for kept in tickets.values())
    assert subjects == Counter(f"Onboard N{one}" for one in everybody)
    for record_id, kept in tickets.items():
        name = kept.fields["subject"].removeprefix("Onboard N")
        assert kept.fields["address"] == {"city": f"C{name}"}
        messages = atelier.all(f"tickets/{record_id}/messages")
        notes = atelier.all(f"tickets/{record_id}/notes")
        assert [one["text"] for one in messages] == [f"Hello N{name}"]
        assert [one["text"] for one in notes] == [email(int(name))]
    return True
