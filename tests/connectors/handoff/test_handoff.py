"""The order of look-up, create and read-back, and what follows when one of them goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.fake import FakeConnector, Mishap
from connectors.handoff.single import hand_over
from connectors.rigging import Bench
from orchestrator.domain.delivery.comparing import Difference
from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Mismatched, Outgoing
from orchestrator.domain.errors import DestinationRefused, DestinationUnavailable
from tests.connectors.rigs import SECRET, SandboxRig, hand, rig_of, sent

Run = Callable[..., Any]


# Against the sandbox's helpdesk, which makes a second ticket of a second create.


def test_an_answer_lost_after_storing_is_found_again_by_its_key(helpdesk: Bench) -> None:
    rig_of(helpdesk).fault("cut_after_store")
    assert isinstance(helpdesk.hand_over("key-1"), Failed)

    outcome = helpdesk.hand_over("key-1", look_first=True)

    assert outcome == Confirmed(record_id="1", found=True)
    assert helpdesk.rig.effects("key-1") == 1


@pytest.mark.parametrize("mode", ["error", "cut"])
def test_a_create_that_fails_without_storing_is_made_after_a_look(
    helpdesk: Bench, mode: str
) -> None:
    rig_of(helpdesk).fault(mode)
    first = helpdesk.hand_over("key-1")
    assert isinstance(first, Failed)
    assert first.unknown

    outcome = helpdesk.hand_over("key-1", look_first=True)

    assert outcome == Confirmed(record_id="1", found=False)
    assert helpdesk.rig.effects("key-1") == 1


@pytest.mark.parametrize("mode", ["error_after_store", "garbage", "huge"])
def test_an_answer_that_proves_nothing_leaves_the_outcome_unknown(
    helpdesk: Bench, mode: str
) -> None:
    rig_of(helpdesk).fault(mode)

    first = helpdesk.hand_over("key-1")

    assert isinstance(first, Failed)
    assert (first.unknown, first.permanent) == (True, False)
    assert helpdesk.hand_over("key-1", look_first=True) == Confirmed(record_id="1", found=True)
    assert helpdesk.rig.effects("key-1") == 1


def test_a_slow_answer_is_unknown_until_it_is_looked_up(
    sandbox_rig: Callable[..., SandboxRig], run: Run, tmp_path: Path
) -> None:
    shown = Path(__file__).parents[3] / "workflows/connectors/helpdesk.yaml"
    hasty = shown.read_text().replace("timeout: 5s", "timeout: 100ms")
    (tmp_path / "helpdesk.yaml").write_text(hasty.replace("proof:", "settle: 3s\n    proof:"))
    fields = {"title": "Onboard it", "queue": "senior"}
    bench = Bench(sandbox_rig("helpdesk", "create_ticket", fields, tmp_path), run)
    rig_of(bench).fault("slow", seconds=0.3)

    first = bench.hand_over("key-1")

    # It may be stored later still, so the look-up waits for the declared settle time.
    assert isinstance(first, Failed)
    assert (first.unknown, first.retry_after) == (True, 3.0)
    assert "took longer than 0.1 s" in first.error
    run(asyncio.sleep(0.4))
    assert bench.hand_over("key-1", look_first=True) == Confirmed(record_id="1", found=True)


def test_a_look_up_that_fails_leaves_the_outcome_unknown(helpdesk: Bench) -> None:
    rig_of(helpdesk).fault("cut_after_store")
    helpdesk.hand_over("key-1")
    rig_of(helpdesk).fault("rate_limit", method="GET", seconds=9)

    outcome = helpdesk.hand_over("key-1", look_first=True)

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent, outcome.retry_after) == (True, False, 9.0)
    assert helpdesk.rig.effects("key-1") == 1


@pytest.mark.parametrize("mode", ["error", "cut", "rate_limit", "garbage", "huge"])
def test_a_read_that_fails_after_a_create_never_leads_to_a_second_create(
    helpdesk: Bench, mode: str
) -> None:
    tries = 2 if mode == "cut" else 1  # aiohttp asks a GET again when a kept connection breaks
    rig_of(helpdesk).fault(mode, method="GET", count=tries)

    first = helpdesk.hand_over("key-1")

    assert isinstance(first, Failed)
    assert first.unknown
    assert helpdesk.hand_over("key-1", look_first=True) == Confirmed(record_id="1", found=True)
    assert helpdesk.rig.effects("key-1") == 1


def test_two_records_with_one_key_are_for_a_person(helpdesk: Bench) -> None:
    helpdesk.hand_over("key-1")
    helpdesk.hand_over("key-1")  # as if someone had not looked first

    outcome = helpdesk.hand_over("key-1", look_first=True)

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, True)
    assert "2 records carry the key" in outcome.error


def test_a_record_that_was_stored_otherwise_is_a_mismatch_and_no_success(
    sandbox_rig: Callable[..., SandboxRig], run: Run, tmp_path: Path
) -> None:
    """The helpdesk answers 201 to a misspelt field and saves nothing for it."""
    shown = Path(__file__).parents[3] / "workflows/connectors/helpdesk.yaml"
    renamed = shown.read_text().replace('title: "{send.title}"', 'titel: "{send.title}"')
    (tmp_path / "helpdesk.yaml").write_text(renamed)
    fields = {"title": "Onboard it", "queue": "senior"}
    bench = Bench(sandbox_rig("helpdesk", "create_ticket", fields, tmp_path), run)

    outcome = bench.hand_over("key-1")

    assert outcome == Mismatched(
        record_id="1", differences=(Difference(field="title", sent="Onboard it", stored=None),)
    )


@pytest.mark.parametrize(
    "key",
    ["a/b", "../ledger", "a b", "ü-ß-漢", "k?x=1&y=2#z", "100%", '"quoted"', "a+b", "{key}", "\n"],
)
def test_a_key_with_odd_characters_is_found_again_as_it_is(helpdesk: Bench, key: str) -> None:
    helpdesk.hand_over(key)

    assert helpdesk.hand_over(key, look_first=True) == Confirmed(record_id="1", found=True)
    assert helpdesk.rig.effects(key) == 1


@pytest.mark.parametrize("key", ["ü", "a\r\nX-Evil: 1", " a"])
def test_a_key_that_a_header_cannot_carry_is_refused_before_anything_goes_out(
    sandbox_rig: Callable[..., SandboxRig], run: Run, key: str
) -> None:
    bench = Bench(sandbox_rig("records", "keep", {"a": 1}), run)

    outcome = bench.hand_over(key)

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert rig_of(bench).sandbox.ledger()["records"] == []


# Against the fake: the order of things, and faults that no destination is asked to have.


def test_a_first_call_does_not_look_up(fake: FakeConnector, run: Run) -> None:
    fake.mishaps.append(Mishap(at="lookup", error=DestinationUnavailable("must not be asked")))

    assert isinstance(run(hand(fake, sent())), Confirmed)


def test_a_call_that_was_never_begun_is_looked_up_in_vain_and_made_once(
    fake: FakeConnector, run: Run
) -> None:
    outcome = run(hand(fake, sent(), look_first=True))

    assert outcome == Confirmed(record_id="fake-1", found=False)
    assert fake.creates == 1


def test_what_a_look_up_finds_is_compared_too(fake: FakeConnector, run: Run) -> None:
    run(hand(fake, sent(email="old@example.com")))

    outcome = run(hand(fake, sent(email="new@example.com"), look_first=True))

    assert isinstance(outcome, Mismatched)
    assert fake.creates == 1


def test_a_failed_create_after_a_look_in_vain_is_known_to_have_stored_nothing(
    fake: FakeConnector, run: Run
) -> None:
    fake.mishaps.append(Mishap(at="create", error=DestinationRefused("no")))

    outcome = run(hand(fake, sent(), look_first=True))

    assert outcome == Failed(error="fake: no", permanent=True)


def test_a_fault_in_a_connector_is_an_unknown_outcome_and_its_words_are_kept_back(
    fake: FakeConnector, run: Run
) -> None:
    fake.mishaps.append(Mishap(at="create", error=RuntimeError(f"bad {SECRET}"), stored=True))

    outcome = run(hand(fake, sent()))

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent) == (True, False)
    assert "RuntimeError" in outcome.error
    assert SECRET not in outcome.error


def test_a_call_that_confirms_nothing_does_not_go_out(fake: FakeConnector, run: Run) -> None:
    outcome = run(hand_over(fake, sent(), confirm=("phone",), look_first=False))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert fake.creates == 0


def test_an_action_that_nobody_has_is_refused(fake: FakeConnector, run: Run) -> None:
    call = Outgoing(key="key-1", action="fax", fields={})

    outcome = run(hand_over(fake, call, confirm=(), look_first=False))

    assert outcome == Failed(error="fake has no action fax", permanent=True, blame=Blame.OURS)


def test_a_process_that_stood_still_after_its_look_sends_nothing_any_more(
    fake: FakeConnector, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_and_freeze(_: Outgoing) -> None:
        time.sleep(0.05)  # noqa: ASYNC251 - no other task shall get on either

    monkeypatch.setattr(fake, "lookup", look_and_freeze)

    outcome = run(hand_over(fake, sent(), confirm=("email",), look_first=True, longest=0.01))

    assert isinstance(outcome, Failed)
    assert fake.creates == 0


def test_a_cancellation_is_not_swallowed(fake: FakeConnector, run: Run) -> None:
    fake.mishaps.append(Mishap(at="create", seconds=60))

    async def story() -> None:
        task = asyncio.ensure_future(hand(fake, sent()))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        run(story())
