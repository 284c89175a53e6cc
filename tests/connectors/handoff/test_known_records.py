"""What was made is read and not made again; what lags is waited for; what was made is undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.definition.shared_keys import FakeDefinition
from connectors.fake import FakeConnector, Mishap
from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import (
    Blame,
    Confirmed,
    Connector,
    Failed,
    Mismatched,
    Outcome,
    Outgoing,
    Record,
    Seen,
    TakenBack,
)
from orchestrator.domain.errors import (
    AlreadyThere,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)

Run = Callable[..., Any]

FIELDS = {"email": "lead@example.com"}


def defined(actions: dict[str, Any]) -> FakeDefinition:
    return FakeDefinition.model_validate({"connector": "fake", "kind": "fake", "actions": actions})


@pytest.fixture
def fake() -> FakeConnector:
    said = {"idempotency": "lookup", "proof": "read_back", "open_fields": True}
    once = {"idempotency": "none", "proof": "read_back", "open_fields": True}
    folded = {"idempotency": "native_key", "proof": "read_back", "open_fields": True}
    refusing = {"idempotency": "conflict", "proof": "read_back", "open_fields": True}
    actions = {"find": said, "once": once, "fold": folded, "refuse": refusing}
    return FakeConnector(defined(actions))


async def hand(
    connector: Connector, action: str = "find", *, look_first: bool = False, **how: Any
) -> Outcome:
    call = Outgoing(key="key-1", action=action, fields=FIELDS)
    return await hand_over(connector, call, confirm=("email",), look_first=look_first, **how)


@pytest.mark.parametrize("action", ["find", "fold", "once"])
def test_a_record_whose_proof_failed_is_read_again_and_not_made_again(
    fake: FakeConnector, run: Run, action: str
) -> None:
    fake.mishaps.append(Mishap(at="read", error=DestinationUnavailable("read: 500")))
    first = run(hand(fake, action))
    assert isinstance(first, Failed)
    assert (first.record_id, first.unknown, first.permanent) == ("fake-1", True, False)

    again = run(hand(fake, action, look_first=True, known=first.record_id))

    assert again == Confirmed(record_id="fake-1", found=True)
    assert fake.creates == 1


@pytest.mark.parametrize("action", ["find", "fold", "once"])
def test_a_record_that_differs_is_looked_at_again_and_left_as_a_person_made_it(
    fake: FakeConnector, run: Run, action: str
) -> None:
    run(hand(fake, action))
    fake.records["fake-1"] = {"email": "corrected@example.com"}

    again = run(hand(fake, action, look_first=True, known="fake-1"))

    assert isinstance(again, Mismatched)
    assert fake.records == {"fake-1": {"email": "corrected@example.com"}}


@pytest.mark.parametrize("action", ["find", "once"])
def test_a_record_that_was_made_and_cannot_be_seen_is_left_to_a_person(
    fake: FakeConnector, run: Run, action: str
) -> None:
    """A login that may make records and not read them would make one more with every try."""
    left = run(hand(fake, action, look_first=True, known="gone-1"))

    assert isinstance(left, Failed)
    assert (left.permanent, left.unknown, left.record_id) == (True, True, None)
    assert fake.creates == 0


def test_a_person_who_saw_that_it_is_gone_has_it_made_anew(fake: FakeConnector, run: Run) -> None:
    assert run(hand(fake, look_first=True)) == Confirmed(record_id="fake-1")


@pytest.mark.parametrize("said", ["fake-1", None])
@pytest.mark.parametrize("by_key", [True, False])
def test_a_refusal_because_the_record_is_there_is_proven_like_any_other(
    fake: FakeConnector, run: Run, said: str | None, by_key: bool
) -> None:
    """Only what is found by the delivery's own key is ours."""
    error = AlreadyThere("create: 409", record_id=said, by_key=by_key)
    fake.mishaps.append(Mishap(at="create", error=error, stored=True))

    seen = Seen(updated=not by_key)
    assert run(hand(fake, "refuse")) == Confirmed(record_id="fake-1", found=True, seen=seen)
    assert fake.creates == 1


def test_a_refusal_whose_record_no_search_finds_yet_is_tried_again(
    fake: FakeConnector, run: Run
) -> None:
    fake.mishaps.append(Mishap(at="create", error=AlreadyThere("create: 409")))

    outcome = run(hand(fake, "refuse"))

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent) == (True, False)


class Lagging(FakeConnector):
    """A fake whose first reads come too early."""

    early = 2

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        self.early -= 1
        return None if self.early >= 0 else await super().read(call, record_id)


def lagging(within: float) -> Lagging:
    said = {"idempotency": "lookup", "proof": "read_back", "open_fields": True}
    connector = Lagging(defined({"find": said}))
    action = connector.actions["find"]
    object.__setattr__(action, "confirm_seconds", within)
    return connector


def test_a_record_that_lags_behind_is_waited_for_as_long_as_its_action_says(run: Run) -> None:
    assert run(hand(lagging(5))) == Confirmed(record_id="fake-1")

    too_early = run(hand(lagging(0)))

    assert isinstance(too_early, Failed)
    assert (too_early.record_id, too_early.blame) == ("fake-1", Blame.SYSTEM)


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (DestinationRefused("422"), Blame.CALL),
        (RateLimited("429", retry_after=3), Blame.PACE),
        (Unauthorized("401"), Blame.LOGIN),
        (DestinationUnavailable("not reached"), Blame.SYSTEM),
        (OutcomeUnknown("no answer"), Blame.SYSTEM),
    ],
)
def test_a_failure_says_who_is_to_blame(
    fake: FakeConnector, run: Run, error: Exception, blame: Blame
) -> None:
    fake.mishaps.append(Mishap(at="create", error=error))

    outcome = run(hand(fake))

    assert isinstance(outcome, Failed)
    assert outcome.blame is blame


def test_an_action_that_cannot_undo_is_left_to_a_person(fake: FakeConnector, run: Run) -> None:
    run(hand(fake))
    object.__setattr__(fake.actions["find"], "can_undo", False)

    outcome = run(hand(fake, undo=True, known="fake-1"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert list(fake.records) == ["fake-1"]


def test_what_was_made_is_taken_back_and_taking_it_back_twice_is_no_error(
    fake: FakeConnector, run: Run
) -> None:
    run(hand(fake))
    object.__setattr__(fake.actions["find"], "can_undo", True)

    assert run(hand(fake, undo=True, known="fake-1")) == TakenBack(record_id="fake-1")
    assert fake.records == {}
    assert run(hand(fake, undo=True, known="fake-1")) == TakenBack(record_id="fake-1")
