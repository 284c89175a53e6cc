"""The harness itself: its plan repeats, its producers keep honest books, its oracle sees a loss."""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from meshline import Emitted
from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import answers
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from tests.faults.leads import Lead
from tests.faults.oracle import judge, tell_stories
from tests.faults.parts import Destination
from tests.faults.plan import Kind, Pair, kinds_of, plan_faults
from tests.faults.producers import Ledger, Quota
from tests.leads import lead, publish_leads
from tests.stores import open_new


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_new(tmp_path / "store.db")
    publish_leads(opened)
    yield opened
    opened.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Destination]:
    place = Destination(url=f"http://127.0.0.1:{free_port()}", token=secrets.token_hex(4))
    command = (sys.executable, "-m", "orchestrator.sandbox.server", "--port")
    with Supervisor(tmp_path / "home") as supervisor:
        supervisor.start(
            Program(
                name="sandbox",
                command=(*command, place.url.rpartition(":")[2]),
                environment={"MESHLINE_SANDBOX_TOKEN": place.token},
                ready=answers(f"{place.url}/healthz"),
            )
        )
        yield place


def test_the_seed_says_which_faults_come_and_none_is_missing() -> None:
    kinds = kinds_of(Pair.POSTGRES)

    plan = plan_faults(7, 40, kinds)

    assert plan == plan_faults(7, 40, kinds) != plan_faults(8, 40, kinds)
    assert {fault.kind for fault in plan} == set(kinds)
    assert Kind.STORE_CRASHED not in kinds_of(Pair.SQLITE)


def test_a_quota_gives_each_number_once_and_no_more_than_it_allows() -> None:
    quota = Quota(10)

    quota.raise_to(7)
    first, second = quota.take(5), quota.take(5)
    quota.raise_to(99)

    assert (first, second) == (range(5), range(5, 7))
    assert (quota.take(5), quota.take(5)) == (range(7, 10), range(10, 10))


def test_an_answer_that_contradicts_an_earlier_one_is_written_down() -> None:
    ledger = Ledger()

    ledger.write([1], [Emitted(id="a", duplicate=False)], again=False)
    ledger.write([1], [Emitted(id="a", duplicate=True)], again=True)
    assert not ledger.contradictions

    ledger.write([1], [Emitted(id="b", duplicate=True)], again=True)
    ledger.write([1], [Emitted(id="a", duplicate=False)], again=True)
    assert len(ledger.contradictions) == 2


def test_what_was_answered_and_is_not_settled_is_lost(store: Store, sandbox: Destination) -> None:
    (kept,) = accept(store, 1)

    verdict = judge(sandbox, store, {1: kept, 3: "0" * 32})

    assert verdict.lost == {kept: "still accepted", "0" * 32: "answered, and not in the store"}
    assert any("still accepted" in line for line in tell_stories(sandbox, store, verdict))


def test_the_store_is_not_believed_where_the_destination_has_nothing(
    store: Store, sandbox: Destination
) -> None:
    (event_id,) = accept(store, 1)
    say_it_was_delivered(store)

    verdict = judge(sandbox, store, {1: event_id})

    assert verdict.lost == {event_id: f"delivered, and the destination has no {event_id}.crm"}
    assert "the audit ends elsewhere" in verdict.findings[-1]


def test_two_tickets_of_one_key_are_doubled_and_a_stranger_is_found(
    store: Store, sandbox: Destination
) -> None:
    (event_id,) = accept(store, 2)
    say_it_was_delivered(store)
    give(sandbox, "/crm/contacts", {"email": "lead-2@example.com"}, key=f"{event_id}.crm")
    for _ in range(2):
        title = "Onboard lead-2@example.com"
        give(sandbox, "/helpdesk/tickets", {"key": f"{event_id}.desk", "title": title})
    give(sandbox, "/helpdesk/tickets", {"key": "nobody.desk", "title": "?"})

    verdict = judge(sandbox, store, {2: event_id})

    assert (verdict.confirmed, verdict.lost) == (1, {})
    assert verdict.doubled == {f"{event_id}.desk": "2 records in helpdesk/tickets"}
    assert any("nobody.desk" in finding for finding in verdict.findings)


def accept(store: Store, number: int) -> list[str]:
    trigger = lead(number, key=Lead(number=number).key)
    return [one.id for one in accept_batch(store, [trigger], actor="key:test")]


def say_it_was_delivered(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(events).values(state="delivered", due_at=None))


def give(sandbox: Destination, path: str, fields: dict[str, str], *, key: str = "") -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}", "Idempotency-Key": key}
    body = json.dumps(fields).encode()
    request = urllib.request.Request(sandbox.url + path, body, headers, method="POST")
    urllib.request.urlopen(request, timeout=10).close()
