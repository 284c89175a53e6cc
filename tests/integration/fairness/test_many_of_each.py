"""Two doors, three relays and four workers on one store: each event is driven once."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from meshline import Event, Producer
from orchestrator.domain.access.actor import login
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.schema import audit
from tests.integration.pairs import Pair
from tests.integration.quick_leads import EXAMPLES, HOURS, publish
from tests.integration.system import System, running_system

pytestmark = [pytest.mark.processes, pytest.mark.postgres]

BATCHES, TOGETHER = 40, 25
LEADS = BATCHES * TOGETHER
ONE_STORY = Counter(["accept", "validate", "route", "confirm crm", "confirm desk", "deliver"])


@pytest.mark.parametrize("pair", ["postgresql+valkey", "postgresql+rabbitmq"], indirect=True)
def test_no_event_is_driven_twice(tmp_path: Path, pair: Pair) -> None:
    home = tmp_path / "home"
    with running_system(home, pair) as system:
        system.environment |= HOURS  # a call that is slow by chance is not a second one
        shutil.copytree(EXAMPLES, home / "connectors", dirs_exist_ok=True)
        publish(system)
        system.start_sandbox()
        doors = [system.start_door(f"door-{number}") for number in range(2)]
        for number in range(3):
            system.start_relay(f"relay-{number}")
        for number in range(4):
            system.start_worker(f"worker-{number}", processes=1)

        ids = send_to_all_doors(system, doors)

        assert len(set(ids)) == LEADS
        assert system.wait_until_settled(LEADS)["delivered"] == LEADS
        assert stories(system) == dict.fromkeys(ids, ONE_STORY)
        assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
        contacts = {one["key"]: one["creates"] for one in system.ledger("crm/contacts")}
        assert contacts == {f"{one}.crm": 1 for one in ids}


def send_to_all_doors(system: System, doors: Sequence[str]) -> list[str]:
    """Send each batch to every door at the same time; the ids, on which the doors agree."""
    key = create_key(system.store, clients=["acme"], label="tests", actor=login("cli:tester"))
    producers = [Producer(url, key=key, timeout=10, deadline=60) for url in doors]
    ids: list[str] = []
    with ThreadPoolExecutor(len(doors)) as threads:
        for batch in range(BATCHES):
            events = [_lead(batch * TOGETHER + one) for one in range(TOGETHER)]
            answers = threads.map(lambda producer: producer.emit_many(events), producers)  # noqa: B023
            found, *others = [[one.id for one in answer] for answer in answers]
            assert others == [found] * (len(doors) - 1)
            ids += found
    for producer in producers:
        producer.close()
    return ids


def _lead(number: int) -> Event:
    data = {"email": f"lead-{number}@example.com", "tier": "enterprise"}
    return Event("lead.created", data, idempotency_key=f"form-{number}")


def stories(system: System) -> dict[str, Counter[str]]:
    """What the audit says was done to each event, and how often."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    row = audit.c
    with system.store.read() as tx:
        for event_id, action, destination in tx.execute(
            select(row.event_id, row.action, row.destination).where(row.event_id.is_not(None))
        ):
            found[event_id][f"{action} {destination}" if destination else action] += 1
    return dict(found)
