"""Tickets in a real django-helpdesk: made once, read back, and never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from orchestrator.domain.delivery.comparing import Difference
from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Mismatched, TakenBack
from tests.systems.conftest import PostOffice
from tests.systems.cutting import Wire
from tests.systems.helpdesk import PASSWORD, USER, Helpdesk
from tests.systems.rigs import Bench, bench_at, shipped

TICKET: dict[str, object] = {
    "queue": 1,
    "title": "Onboard lead@example.com",
    "description": "A new lead.\nCall it today.",
    "priority": 2,
    "submitter_email": "lead@example.com",
}


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHLINE_HELPDESK_USER", USER)
    monkeypatch.setenv("MESHLINE_HELPDESK_PASSWORD", PASSWORD)


@pytest.fixture
def bench(tmp_path: Path, helpdesk_wire: Wire) -> Iterator[Bench]:
    with at(tmp_path, helpdesk_wire.url) as bench:
        yield bench


def at(folder: Path, url: str, *, more: str = "") -> AbstractContextManager[Bench]:
    return bench_at(
        folder, "django-helpdesk", url, action="create_ticket", fields=TICKET, more=more
    )


def test_a_ticket_is_made_once_and_confirmed_field_by_field(
    bench: Bench, helpdesk: Helpdesk
) -> None:
    outcome = bench.hand_over("evt-1.desk")

    assert isinstance(outcome, Confirmed) and not outcome.found
    stored = bench.read("evt-1.desk", outcome.record_id)
    assert {name: stored[name] for name in TICKET} == TICKET
    assert bench.look_up("evt-1.desk") == outcome.record_id
    assert helpdesk.count("evt-1.desk") == 1


def test_after_a_lost_answer_the_ticket_is_found_and_not_made_again(
    bench: Bench, helpdesk: Helpdesk, helpdesk_wire: Wire
) -> None:
    helpdesk_wire.lose_answer_to("POST /api/tickets/")

    lost = bench.hand_over("evt-2.desk")
    found = bench.hand_over("evt-2.desk", look_first=True)

    assert isinstance(lost, Failed) and lost.unknown and not lost.permanent
    assert helpdesk_wire.lost == 1
    assert isinstance(found, Confirmed) and found.found
    assert helpdesk.count("evt-2.desk") == 1


def test_a_ticket_that_was_stored_before_the_helpdesk_failed_is_found(
    bench: Bench, helpdesk: Helpdesk, post_office: PostOffice
) -> None:
    # It stores the ticket, cannot send its mail to the submitter, and answers 500.
    post_office.close()
    failed = bench.hand_over("evt-3.desk")
    post_office.open()

    found = bench.hand_over("evt-3.desk", look_first=True)

    assert isinstance(failed, Failed) and failed.unknown and not failed.permanent
    assert "500" in failed.error
    assert isinstance(found, Confirmed) and found.found
    assert helpdesk.count("evt-3.desk") == 1


def test_what_never_reached_the_helpdesk_is_made_after_a_look(
    bench: Bench, helpdesk: Helpdesk
) -> None:
    outcome = bench.hand_over("evt-4.desk", look_first=True)

    assert isinstance(outcome, Confirmed) and not outcome.found
    assert helpdesk.count("evt-4.desk") == 1


def test_two_tickets_with_one_key_are_for_a_person(bench: Bench, helpdesk: Helpdesk) -> None:
    # Its own API folds nothing: only the look-up before a second call keeps it at one.
    bench.hand_over("evt-5.desk")
    bench.hand_over("evt-5.desk")

    outcome = bench.hand_over("evt-5.desk", look_first=True)

    assert helpdesk.count("evt-5.desk") == 2
    assert isinstance(outcome, Failed) and outcome.permanent and outcome.unknown


def test_a_field_that_the_helpdesk_refuses_is_refused_at_once(
    bench: Bench, helpdesk: Helpdesk
) -> None:
    outcome = bench.hand_over("evt-6.desk", queue=99)

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert "queue" in outcome.error
    assert helpdesk.count("evt-6.desk") == 0


def test_a_renamed_field_never_goes_out(bench: Bench, helpdesk: Helpdesk) -> None:
    outcome = bench.hand_over("evt-7.desk", titel="Onboard")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert "titel" in outcome.error
    assert helpdesk.count("evt-7.desk") == 0


def test_a_field_that_the_definition_misspells_is_refused_and_makes_nothing(
    tmp_path: Path, bench: Bench, helpdesk: Helpdesk, helpdesk_wire: Wire
) -> None:
    sent = 'title: "{send.title}"'
    misspelt = shipped("django-helpdesk").replace(sent, sent.replace("title:", "titel:"))

    with at(tmp_path / "wrong", helpdesk_wire.url, more=errors_and_actions(misspelt)) as wrong:
        outcome = wrong.hand_over("evt-13.desk")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert "title" in outcome.error
    assert helpdesk.count("evt-13.desk") == 0


def test_a_helpdesk_without_the_field_for_the_key_is_found_out_by_the_first_ticket(
    tmp_path: Path, bench: Bench, helpdesk: Helpdesk, helpdesk_wire: Wire
) -> None:
    # It drops what it does not know. Without its key no ticket could be found after a lost answer.
    nowhere = shipped("django-helpdesk").replace("custom_meshline", "custom_nowhere")
    before = len(helpdesk.tickets())

    with at(tmp_path / "nowhere", helpdesk_wire.url, more=errors_and_actions(nowhere)) as wrong:
        outcome = wrong.hand_over("evt-12.desk")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert len(helpdesk.tickets()) == before + 1


def errors_and_actions(definition: str) -> str:
    return definition[definition.index("errors:") :]


def test_what_a_person_changed_is_a_mismatch(bench: Bench) -> None:
    made = bench.hand_over("evt-8.desk")
    assert isinstance(made, Confirmed)

    outcome = bench.hand_over("evt-8.desk", known=made.record_id, title="Onboard somebody else")

    assert outcome == Mismatched(
        record_id=made.record_id,
        differences=(
            Difference(
                field="title", sent="Onboard somebody else", stored="Onboard lead@example.com"
            ),
        ),
    )


def test_a_wrong_password_is_told_as_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, helpdesk: Helpdesk
) -> None:
    monkeypatch.setenv("MESHLINE_HELPDESK_PASSWORD", "not-the-password")

    outcome = bench.hand_over("evt-9.desk")

    assert isinstance(outcome, Failed) and outcome.blame is Blame.LOGIN
    assert not outcome.unknown
    assert "not-the-password" not in outcome.error
    assert helpdesk.count("evt-9.desk") == 0


def test_its_throttle_says_when_to_come_back(
    tmp_path: Path, throttled: Helpdesk, helpdesk: Helpdesk
) -> None:
    with Wire(throttled.port) as wire, at(tmp_path, wire.url) as bench:
        outcomes = [bench.hand_over(f"evt-10-{number}.desk") for number in range(3)]

    limited = outcomes[-1]
    assert isinstance(limited, Failed) and limited.blame is Blame.PACE
    assert not limited.permanent and not limited.unknown
    assert limited.retry_after is not None and 0 < limited.retry_after <= 60
    assert helpdesk.count("evt-10-2.desk") == 0


def test_a_ticket_can_be_taken_back_and_that_twice(bench: Bench, helpdesk: Helpdesk) -> None:
    made = bench.hand_over("evt-11.desk")
    assert isinstance(made, Confirmed)

    undone = [bench.hand_over("evt-11.desk", known=made.record_id, undo=True) for _ in range(2)]

    assert undone == [TakenBack(record_id=made.record_id)] * 2
    assert helpdesk.count("evt-11.desk") == 0
