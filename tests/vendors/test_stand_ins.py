"""Every shipped definition against a stand-in that behaves as the vendor's documentation says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import (
    Blame,
    Confirmed,
    Failed,
    Idempotency,
    Mismatched,
    Proof,
    Receipted,
    TakenBack,
)
from tests.vendors.cases import Case
from tests.vendors.driving import Bench, bench_of
from tests.vendors.every import CASES
from tests.vendors.shipped import definition
from tests.vendors.stand_ins.server import TOKEN

READ_BACK = [case for case in CASES if case.confirm]
UNDONE = [case for case in CASES if definition(case.connector).actions[case.action].undo]

Tell = Callable[[Callable[[Bench], Awaitable[None]]], None]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


@pytest.fixture
def tell(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Runs a story with the case's connector and stand-in."""

    def run(story: Callable[[Bench], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with bench_of(case, monkeypatch, tmp_path) as bench:
                await story(bench)

        asyncio.run(whole())

    return run


def test_a_handoff_is_proven(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        before = bench.stored()

        outcome = await bench.hand()

        assert isinstance(outcome, Confirmed if case.confirm else Receipted), outcome
        assert bench.stored() == before + (not case.changes)

    tell(story)


def test_a_second_call_after_a_lost_answer_makes_no_second_record(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        action = bench.connector.actions[case.action]
        first = await bench.hand()
        stored = bench.stored()
        bench.stand_in.pass_by(action.settle_seconds)

        outcome = await bench.hand(look_first=True)

        assert bench.stored() == stored
        if action.idempotency is Idempotency.NONE:
            assert isinstance(outcome, Failed)
            assert outcome.unknown
        else:
            assert type(outcome) is type(first)
        if isinstance(first, Confirmed) and isinstance(outcome, Confirmed):
            assert outcome.record_id == first.record_id

    tell(story)


def test_a_spent_rate_is_waited_for_and_nothing_is_stored(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        before = bench.stored()
        bench.stand_in.limit_next = 1

        outcome = await bench.hand()

        assert isinstance(outcome, Failed), outcome
        assert (outcome.permanent, outcome.unknown) == (False, False)
        assert outcome.blame is Blame.PACE
        assert bench.stored() == before

    tell(story)


def test_a_refused_login_is_told_as_one_and_shows_no_secret(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        before = bench.stored()
        bench.stand_in.token_is_good = False

        outcome = await bench.hand()

        assert isinstance(outcome, Failed), outcome
        assert (outcome.permanent, outcome.unknown) == (True, False)
        if case.connector != "slack-webhook":  # its address is its login, and it answers 403
            assert outcome.blame is Blame.LOGIN
        assert TOKEN not in outcome.error
        assert bench.stored() == before

    tell(story)


@pytest.mark.parametrize("case", READ_BACK, ids=lambda case: case.name)
def test_a_field_that_is_stored_otherwise_is_a_mismatch(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        bench.stand_in.spoil = lambda fields: fields.update({case.spoiled: "something else"})

        outcome = await bench.hand()

        assert isinstance(outcome, Mismatched), outcome

    tell(story)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.rewritten], ids=lambda case: case.name
)
def test_what_the_vendor_writes_otherwise_is_confirmed(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        fields = {**case.fields, **case.rewritten}
        call = bench.call(fields=fields)
        confirm = (*case.confirm, *case.rewritten)

        outcome = await hand_over(bench.connector, call, confirm=confirm, look_first=False)

        assert isinstance(outcome, Confirmed), outcome

    tell(story)


@pytest.mark.parametrize("case", UNDONE, ids=lambda case: case.name)
def test_what_was_made_is_taken_back_once_and_for_all(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        made = await bench.hand()
        assert isinstance(made, Confirmed)

        outcome = await bench.hand(known=made.record_id, undo=True)

        assert outcome == TakenBack(record_id=made.record_id)
        left = bench.stand_in.kept.get(made.record_id)
        assert left is None or left.fields["deleted"]
        again = await bench.hand(known=made.record_id, undo=True)
        assert again == TakenBack(record_id=made.record_id)

    tell(story)


def test_a_receipt_is_never_called_confirmed(tell: Tell, case: Case) -> None:
    async def story(bench: Bench) -> None:
        proof = bench.connector.actions[case.action].proof
        assert (proof is Proof.RECEIPT) == (not case.confirm)

    tell(story)
