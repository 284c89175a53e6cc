"""Tickets in a real Request Tracker: it takes what it does not know, so each is read back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Mismatched, TakenBack
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.deliveries import take_deliveries
from tests.leads import TEXT, accept_leads, claim_groups, drive_to_routed
from tests.systems.cutting import Wire
from tests.systems.request_tracker import RequestTracker
from tests.systems.rigs import Bench, bench_at, shipped

TICKET: dict[str, object] = {
    "queue": "General",
    "subject": "Onboard Ana & Söhne",
    "text": "A new lead.\nCall it today.",
    "requestor": "lead@example.com",
    "owner": "Nobody",
    "priority": 30,
}


@pytest.fixture
def bench(
    tmp_path: Path,
    request_tracker: RequestTracker,
    rt_wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bench]:
    monkeypatch.setenv("MESHLINE_RT_TOKEN", request_tracker.token)
    with at(tmp_path, rt_wire.url) as bench:
        yield bench


def at(folder: Path, url: str, *, more: str = "") -> AbstractContextManager[Bench]:
    return bench_at(
        folder, "request-tracker", url, action="create_ticket", fields=TICKET, more=more
    )


def test_a_ticket_is_made_once_and_confirmed_field_by_field(
    bench: Bench, request_tracker: RequestTracker
) -> None:
    outcome = bench.hand_over("evt-1.desk")

    assert isinstance(outcome, Confirmed) and not outcome.found
    stored = bench.read("evt-1.desk", outcome.record_id)
    assert stored["queue"] == "General"
    assert stored["subject"] == TICKET["subject"]
    assert stored["requestor"] == "lead@example.com"
    assert bench.look_up("evt-1.desk") == outcome.record_id
    assert request_tracker.count("evt-1.desk") == 1


def test_after_a_lost_answer_the_ticket_is_found_and_not_made_again(
    bench: Bench, request_tracker: RequestTracker, rt_wire: Wire
) -> None:
    rt_wire.lose_answer_to("POST /REST/2.0/ticket")

    lost = bench.hand_over("evt-2.desk")
    found = bench.hand_over("evt-2.desk", look_first=True)

    assert isinstance(lost, Failed) and lost.unknown and not lost.permanent
    assert rt_wire.lost == 1
    assert isinstance(found, Confirmed) and found.found
    assert request_tracker.count("evt-2.desk") == 1


def test_what_never_reached_it_is_made_after_a_look(
    bench: Bench, request_tracker: RequestTracker
) -> None:
    outcome = bench.hand_over("evt-3.desk", look_first=True)

    assert isinstance(outcome, Confirmed) and not outcome.found
    assert request_tracker.count("evt-3.desk") == 1


def test_a_misspelt_field_is_taken_with_201_and_caught_by_reading_the_ticket(
    tmp_path: Path, bench: Bench, rt_wire: Wire, request_tracker: RequestTracker
) -> None:
    with misspelling(tmp_path / "wrong", rt_wire, "Subject:", "Subjekt:") as wrong:
        outcome = wrong.hand_over("evt-4.desk")

    assert isinstance(outcome, Mismatched)
    (difference,) = outcome.differences
    assert (difference.field, difference.sent) == ("subject", TICKET["subject"])
    assert difference.stored in ("", None)
    (ticket,) = request_tracker.tickets("RefersTo = 'meshline:evt-4.desk'")
    assert ticket["id"] == outcome.record_id and not ticket["Subject"]


def test_a_ticket_that_does_not_carry_its_key_is_no_handoff(
    tmp_path: Path, bench: Bench, rt_wire: Wire
) -> None:
    # It could not be found after a lost answer, so it must not be confirmed before one.
    with misspelling(tmp_path / "wrong", rt_wire, "RefersTo:", "RefersToo:") as wrong:
        outcome = wrong.hand_over("evt-5.desk")

    assert isinstance(outcome, Mismatched)
    assert "subject" in {one.field for one in outcome.differences}


def misspelling(folder: Path, wire: Wire, name: str, wrong: str) -> AbstractContextManager[Bench]:
    """The shipped definition with one of RT's names misspelt."""
    text = shipped("request-tracker")
    assert text.count(f"        {name}") == 1
    text = text.replace(f"        {name}", f"        {wrong}")
    return at(folder, wire.url, more=text[text.index("actions:") :])


def test_a_queue_that_is_not_there_is_refused_at_once(
    bench: Bench, request_tracker: RequestTracker
) -> None:
    outcome = bench.hand_over("evt-6.desk", queue="Nowhere")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert outcome.blame is Blame.CALL
    assert request_tracker.count("evt-6.desk") == 0


def test_a_wrong_token_is_told_as_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, request_tracker: RequestTracker
) -> None:
    monkeypatch.setenv("MESHLINE_RT_TOKEN", "1-1-not-the-token")

    outcome = bench.hand_over("evt-7.desk")

    assert isinstance(outcome, Failed) and outcome.blame is Blame.LOGIN
    assert not outcome.unknown
    assert "not-the-token" not in outcome.error
    assert request_tracker.count("evt-7.desk") == 0


def test_a_ticket_can_be_taken_back(bench: Bench, request_tracker: RequestTracker) -> None:
    made = bench.hand_over("evt-8.desk")
    assert isinstance(made, Confirmed)

    undone = bench.hand_over("evt-8.desk", known=made.record_id, undo=True)

    assert undone == TakenBack(record_id=made.record_id)
    assert request_tracker.count("evt-8.desk") == 0  # a search does not find deleted tickets


def test_two_tickets_with_one_key_are_for_a_person(
    bench: Bench, request_tracker: RequestTracker
) -> None:
    bench.hand_over("evt-9.desk")
    bench.hand_over("evt-9.desk")

    outcome = bench.hand_over("evt-9.desk", look_first=True)

    assert request_tracker.count("evt-9.desk") == 2
    assert isinstance(outcome, Failed) and outcome.permanent and outcome.unknown


RUNS = 6


def test_six_runs_that_look_before_they_send_and_hold_no_delivery_make_six_tickets(
    bench: Bench, request_tracker: RequestTracker
) -> None:
    # Why a look-up alone is not a promise: this is what the next test is about.
    looked = [bench.look_up("evt-10.desk") for _ in range(RUNS)]
    for _ in looked:
        bench.hand_over("evt-10.desk")

    assert looked == [None] * RUNS
    assert request_tracker.count("evt-10.desk") == RUNS


def test_six_runs_that_want_one_delivery_make_one_ticket(
    tmp_path: Path, bench: Bench, store: Store, rt_wire: Wire, request_tracker: RequestTracker
) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    with at(folder, rt_wire.url):
        connectors = catalog(load_connectors(folder))
    workflow = parse_workflow(WORKFLOW, name="leads.yaml", folder=None, catalog=connectors)
    publish_workflow(store, workflow, actor=login("cli:tester"))
    (event_id,) = accept_leads(store, 1)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    together = threading.Barrier(RUNS)

    def run(number: int) -> int:
        together.wait(30)
        with store.write() as tx:
            taken = take_deliveries(
                tx, group.ids, epoch=group.epoch, run_id=f"run-{number}", run_seconds=60
            )
        with at(folder / str(number), rt_wire.url) as own:
            for one in taken:
                fields: dict[str, Any] = dict(one.fields)
                outcome = own.hand_over(one.key, look_first=True, **fields)
                assert isinstance(outcome, Confirmed)
        return len(taken)

    with ThreadPoolExecutor(RUNS) as pool:
        taken = list(pool.map(run, range(RUNS)))

    assert sorted(taken) == [0] * (RUNS - 1) + [1]
    assert request_tracker.count(f"{event_id}.desk") == 1


WORKFLOW = (
    TEXT[: TEXT.index("routes:")]
    + """\
routes:
  - {when: 'true', to: [desk]}
destinations:
  desk: {connector: request-tracker-here, action: create_ticket,
         send: {queue: '"General"', subject: '"Onboard " + email'}, confirm: [subject]}
retries: {limit: 2, first: 1s, factor: 2, ceiling: 1m}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)
