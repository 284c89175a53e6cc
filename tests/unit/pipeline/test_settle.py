"""What follows from a call, and for an event from the states of its deliveries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.delivery.comparing import differences
from orchestrator.domain.delivery.handoff import (
    Action,
    Blame,
    Confirmed,
    Failed,
    Idempotency,
    Mismatched,
    Proof,
    TakenBack,
)
from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.settle import Done, GiveUp, Hold, Settlement, TryAgain, settle
from orchestrator.pipeline.settle_event import (
    Delivered,
    DeliveryStatus,
    Stuck,
    TakeBack,
    Waiting,
    ready_to_undo,
    settle_event,
)
from orchestrator.pipeline.settle_event import TakenBack as AllTakenBack

POLICY = RetryPolicy(limit=2, first=10, factor=2, ceiling=100)


def after(
    outcome: Failed | Confirmed | Mismatched | TakenBack,
    *,
    attempt: int = 1,
    idempotency: Idempotency = Idempotency.LOOKUP,
    breaker_open: bool = False,
    own_fault: bool = False,
    pause: float = 0,
    settle_seconds: float = 0,
) -> Settlement:
    action = Action(
        name="record",
        idempotency=idempotency,
        proof=Proof.READ_BACK,
        settle_seconds=settle_seconds,
    )
    return settle(
        outcome,
        attempt=attempt,
        action=action,
        policy=POLICY,
        jitter=0.5,
        breaker_open=breaker_open,
        own_fault=own_fault,
        pause=pause,
    )


def test_a_system_that_asks_us_to_wait_costs_no_attempt_however_often_it_asks() -> None:
    asked = Failed(error="429", retry_after=30, blame=Blame.PACE)

    settled = after(asked, attempt=99)

    assert settled == TryAgain(after_seconds=30, error="429", unknown=False, counts=False)


def test_a_system_that_is_down_costs_attempts_until_its_breaker_opens() -> None:
    down = Failed(error="no answer", unknown=True, blame=Blame.SYSTEM)

    assert isinstance(after(down), TryAgain)
    assert after(down, attempt=3) == GiveUp(
        reason=Reason.RETRIES_EXHAUSTED, error="no answer", unknown=True
    )
    assert after(down, attempt=3, breaker_open=True, settle_seconds=4) == Hold(
        error="no answer", unknown=True, settle_seconds=4, blameless=True
    )


def test_an_event_that_a_system_cannot_take_says_so_and_ends_after_its_own_retries() -> None:
    bad = Failed(error="answered 500", unknown=True, blame=Blame.SYSTEM)

    first, last = after(bad, attempt=2, own_fault=True), after(bad, attempt=3, own_fault=True)

    assert isinstance(first, TryAgain) and first.counts
    assert isinstance(last, GiveUp) and last.reason is Reason.RETRIES_EXHAUSTED
    assert last.error == (
        "answered 500 (the system took others meanwhile, so it cannot take this one; 3 tries)"
    )


def test_a_login_that_is_refused_for_one_event_alone_is_tried_again_and_not_given_up_at_once() -> (
    None
):
    odd = Failed(error="401", permanent=True, blame=Blame.LOGIN)

    assert isinstance(after(odd, own_fault=True), TryAgain)
    assert isinstance(after(odd, attempt=3, own_fault=True), GiveUp)


def test_while_the_breaker_is_open_no_try_is_spent_and_earlier_ones_come_back() -> None:
    down = Failed(error="no answer", blame=Blame.SYSTEM)

    doubted, suspected = (
        after(down, breaker_open=True),
        after(down, breaker_open=True, own_fault=True),
    )

    assert isinstance(doubted, Hold) and doubted.blameless
    assert isinstance(suspected, Hold) and not suspected.blameless


def test_a_pause_that_a_connector_keeps_is_waited_for_by_each_of_its_events() -> None:
    asked = Failed(error="429", blame=Blame.PACE)

    assert after(asked, pause=80) == TryAgain(
        after_seconds=80, error="429", unknown=False, counts=False
    )
    assert isinstance(after(asked, pause=80, breaker_open=True), Hold)


def test_a_login_that_is_refused_holds_the_delivery_and_a_wrong_call_does_not() -> None:
    login = Failed(error="401", permanent=True, blame=Blame.LOGIN)
    wrong = Failed(error="422", permanent=True, blame=Blame.CALL)

    assert after(login, breaker_open=True) == Hold(error="401", unknown=False, blameless=True)
    assert after(wrong, breaker_open=True) == GiveUp(reason=Reason.DESTINATION_REFUSED, error="422")


def test_a_lost_answer_that_nothing_can_find_goes_to_a_person_whatever_the_breaker() -> None:
    lost = Failed(error="no answer", unknown=True, permanent=True, blame=Blame.SYSTEM)

    settled = after(lost, idempotency=Idempotency.NONE, breaker_open=True)

    assert settled == GiveUp(reason=Reason.UNKNOWN_OUTCOME, error="no answer", unknown=True)


def test_a_record_that_was_made_and_not_yet_proven_is_read_again_even_without_idempotency() -> None:
    made = Failed(error="read: 500", unknown=True, record_id="7", blame=Blame.SYSTEM)

    settled = after(made, idempotency=Idempotency.NONE)

    assert isinstance(settled, TryAgain)
    assert settled.record_id == "7"


def test_what_is_taken_back_is_undone() -> None:
    assert after(TakenBack(record_id="7")) == Done(state=DeliveryState.UNDONE, record_id="7")


MADE = DeliveryStatus(name="crm", state=DeliveryState.CONFIRMED)
FAILED = DeliveryStatus(
    name="desk",
    state=DeliveryState.FAILED,
    reason=Reason.DESTINATION_REFUSED,
    error="422",
)
UNDONE = DeliveryStatus(name="crm", state=DeliveryState.UNDONE)


def test_an_event_is_delivered_when_every_delivery_is_made() -> None:
    receipt = DeliveryStatus(name="mail", state=DeliveryState.RECEIPTED)

    assert settle_event([MADE, receipt]) == Delivered()


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.HELD])
def test_an_event_waits_for_what_is_to_come(state: DeliveryState) -> None:
    assert settle_event([MADE, DeliveryStatus(name="desk", state=state)]) == Waiting()


def test_an_event_is_not_stuck_while_a_call_of_it_is_out() -> None:
    assert (
        settle_event([FAILED, DeliveryStatus(name="crm", state=DeliveryState.SENDING)]) == Waiting()
    )


def test_a_failed_delivery_is_a_persons_and_what_was_made_stays() -> None:
    stuck = Stuck(reason=Reason.DESTINATION_REFUSED, detail="desk: 422", destination="desk")

    assert settle_event([MADE, FAILED]) == stuck


def test_what_was_made_is_taken_back_first_where_the_workflow_says_so() -> None:
    verdict = settle_event([MADE, FAILED], undoable={"crm"})

    assert verdict == TakeBack(because="desk: 422", destinations=("crm",))


@pytest.mark.parametrize(
    "standing",
    [
        DeliveryStatus(name="crm", state=DeliveryState.PENDING, undo=True),
        DeliveryStatus(name="crm", state=DeliveryState.HELD, undo=True),
        DeliveryStatus(name="crm", state=DeliveryState.PENDING, unknown=True),
    ],
)
def test_the_event_waits_for_what_is_being_taken_back_or_might_be_there(
    standing: DeliveryStatus,
) -> None:
    assert settle_event([standing, FAILED], undoable={"crm"}) == Waiting()


def test_what_was_never_sent_keeps_nobody_waiting_for_an_undo() -> None:
    never = DeliveryStatus(name="crm", state=DeliveryState.PENDING)

    assert isinstance(settle_event([never, FAILED], undoable={"crm"}), Stuck)


@pytest.mark.parametrize(
    "state", [DeliveryState.WAITING, DeliveryState.SUPERSEDED, DeliveryState.FAILED]
)
def test_the_quarantine_tells_what_nobody_looks_for_and_may_be_there(state: DeliveryState) -> None:
    maybe = DeliveryStatus(name="chat", state=state, error="no answer", unknown=True)

    verdict = settle_event([UNDONE, FAILED, maybe], undoable={"crm", "chat"})
    with_nothing_to_undo = settle_event([UNDONE, FAILED, maybe])

    assert isinstance(verdict, Stuck) and isinstance(with_nothing_to_undo, Stuck)
    assert verdict.detail == (
        "desk: 422; taken back: crm; chat may have been made, and is not taken back: the answer to"
        " its call was lost"
    )
    assert with_nothing_to_undo.detail == "desk: 422; taken back: crm"


def test_what_a_record_rests_on_that_could_not_be_taken_back_stays_and_is_named() -> None:
    crm = DeliveryStatus(name="crm", state=DeliveryState.CONFIRMED)
    desk = DeliveryStatus(name="desk", state=DeliveryState.FAILED, error="403", undo=True)
    news = DeliveryStatus(name="news", state=DeliveryState.FAILED, error="422")
    chat = replace(crm, name="chat")
    every, back = {"crm", "desk", "chat", "news"}, {"desk": ("crm",)}

    first = settle_event([crm, desk, news, chat], undoable=every, predecessors=back)
    gone = replace(chat, state=DeliveryState.UNDONE)
    last = settle_event([crm, desk, news, gone], undoable=every, predecessors=back)

    assert first == TakeBack(because="news: 422", destinations=("chat",))
    assert isinstance(last, Stuck) and last.detail == (
        "news: 422; taken back: chat; desk could not be taken back: 403;"
        " crm is not taken back, for what rests on it could not be"
    )


def test_what_nothing_rests_on_any_more_is_taken_back_next() -> None:
    back = {"desk": ("crm",), "chat": ("crm", "desk")}
    crm, desk, chat = (
        DeliveryStatus(name=name, state=DeliveryState.PENDING, undo=True, held_back=name != "chat")
        for name in ("crm", "desk", "chat")
    )
    gone = DeliveryStatus(name="chat", state=DeliveryState.UNDONE)
    stays = replace(chat, state=DeliveryState.FAILED)

    assert settle_event([crm, desk, gone]) == Waiting()
    assert ready_to_undo([crm, desk, chat], back) == ()
    assert ready_to_undo([crm, desk, gone], back) == ("desk",)
    assert ready_to_undo([crm, replace(gone, name="desk"), gone], back) == ("crm",)
    assert ready_to_undo([crm, replace(gone, name="desk"), stays], back) == ()


def test_an_event_is_decided_anew_when_its_record_is_taken_back_and_the_rest_is_parked() -> None:
    parked = DeliveryStatus(name="chat", state=DeliveryState.PENDING, parked=True)
    undoing = DeliveryStatus(name="crm", state=DeliveryState.PENDING, undo=True)

    assert settle_event([UNDONE, parked]) == AllTakenBack()
    assert settle_event([undoing, parked]) == Waiting()
    assert settle_event([UNDONE, replace(parked, parked=False)]) == Waiting()


def test_the_quarantine_tells_what_was_taken_back_and_what_could_not_be() -> None:
    left = DeliveryStatus(
        name="chat",
        state=DeliveryState.FAILED,
        reason=Reason.UNDO_FAILED,
        error="403",
        undo=True,
    )

    assert settle_event([left, UNDONE, FAILED], undoable={"crm", "chat"}) == Stuck(
        reason=Reason.DESTINATION_REFUSED,
        detail="desk: 422; taken back: crm; chat could not be taken back: 403",
        destination="desk",
    )


def test_a_mismatch_shows_what_differs_and_tells_null_from_a_missing_field() -> None:
    sent = {"body": "a\nb\nc", "note": "", "tier": None}
    found = differences(sent, {"body": "a", "note": None}, ("body", "note", "tier"))

    settled = after(Mismatched(record_id="r-1", differences=found))

    assert isinstance(settled, GiveUp)
    assert settled.error == (
        "record r-1 is not what was sent:"
        r" body: sent 'a\nb\nc', stored 'a' (sent 3 lines, stored 1),"
        " note: sent '', stored null (sent a blank text, stored null; alike as: text),"
        " tier: sent null, and the record has no such field; alike as: text"
    )
