"""Several deliveries by one request: each is proven by itself, and a lost answer is everybody's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.definition.shared_keys import FakeDefinition
from connectors.fake import FakeConnector, Mishap
from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import Action, Confirmed, Failed, Outgoing, Seen
from orchestrator.domain.errors import (
    AlreadyThere,
    ConnectorError,
    DestinationRefused,
    OutcomeUnknown,
)

Run = Callable[..., Any]


class Batchy(FakeConnector):
    """A fake that takes four at once."""

    def __init__(self) -> None:
        said = {"idempotency": "lookup", "proof": "read_back", "open_fields": True}
        definition = {"connector": "fake", "kind": "fake", "actions": {"record": said}}
        super().__init__(FakeDefinition.model_validate(definition))
        self.sizes: list[int] = []
        self.said: dict[str, ConnectorError] = {}  # by key, instead of a record
        self.fault: Exception | None = None
        self.short = 0  # answers that are left out

    @property
    def actions(self) -> dict[str, Action]:
        return {name: replace(one, batch_size=4) for name, one in super().actions.items()}

    async def create_many(self, calls: Sequence[Outgoing]) -> Sequence[str | ConnectorError]:
        self.sizes.append(len(calls))
        made = [self.said.get(call.key) or await self.create(call) for call in calls]
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return made[self.short :]


@pytest.fixture
def tool() -> Batchy:
    return Batchy()


def jobs(tool: Batchy, count: int, **how: Any) -> list[Job]:
    return [
        Job(
            id=f"key-{number}",
            connector=tool,
            call=Outgoing(key=f"key-{number}", action="record", fields={"number": number}),
            confirm=("number",),
            **how,
        )
        for number in range(count)
    ]


async def over(some: Sequence[Job]) -> dict[str, Any]:
    return dict(await hand_over_many(some, finish_by=time.monotonic() + 60))


def test_many_go_out_by_few_requests_and_each_is_confirmed(tool: Batchy, run: Run) -> None:
    outcomes = run(over(jobs(tool, 10)))

    assert all(isinstance(one, Confirmed) for one in outcomes.values())
    assert len({one.record_id for one in outcomes.values()}) == 10
    assert sorted(tool.sizes) == [2, 4, 4]


def test_one_that_is_refused_hurts_no_other(tool: Batchy, run: Run) -> None:
    tool.said["key-1"] = DestinationRefused("422")

    outcomes = run(over(jobs(tool, 3)))

    assert outcomes["key-1"] == Failed(error="fake: 422", permanent=True)
    assert isinstance(outcomes["key-0"], Confirmed) and isinstance(outcomes["key-2"], Confirmed)


def test_one_that_is_there_already_is_proven_like_the_others(tool: Batchy, run: Run) -> None:
    run(over(jobs(tool, 1)))
    tool.said["key-0"] = AlreadyThere("409", record_id="fake-1")

    outcomes = run(over(jobs(tool, 2)))

    seen = Seen(updated=True)
    assert outcomes["key-0"] == Confirmed(record_id="fake-1", found=True, seen=seen)


@pytest.mark.parametrize("fault", [OutcomeUnknown("no answer"), RuntimeError("a fault")])
def test_a_lost_answer_is_lost_for_all_and_each_is_looked_up(
    tool: Batchy, run: Run, fault: Exception
) -> None:
    tool.fault = fault
    lost = run(over(jobs(tool, 4)))
    assert {(one.unknown, one.permanent) for one in lost.values()} == {(True, False)}

    found = run(over(jobs(tool, 4, look_first=True)))

    assert {one.found for one in found.values()} == {True}
    assert (tool.creates, tool.sizes) == (4, [4])


def test_answers_that_cannot_be_told_apart_prove_nothing(tool: Batchy, run: Run) -> None:
    tool.short = 1

    outcomes = run(over(jobs(tool, 3)))

    assert {(one.unknown, one.permanent) for one in outcomes.values()} == {(True, False)}


def test_a_proof_that_fails_is_one_deliverys_own(tool: Batchy, run: Run) -> None:
    tool.mishaps.append(Mishap(at="read", error=OutcomeUnknown("cut")))

    outcomes = run(over(jobs(tool, 3)))

    (failed,) = (one for one in outcomes.values() if isinstance(one, Failed))
    assert failed.record_id is not None


def test_what_confirms_nothing_does_not_go_out_with_the_others(tool: Batchy, run: Run) -> None:
    some = jobs(tool, 2)

    outcomes = run(over([replace(some[0], confirm=("other",)), some[1]]))

    assert outcomes["key-0"].permanent
    assert tool.sizes == [1]


def test_what_failed_before_goes_out_alone_and_spoils_no_request_for_others(
    tool: Batchy, run: Run
) -> None:
    run(over([*jobs(tool, 2, alone=True), *jobs(tool, 8)[2:]]))

    assert sorted(tool.sizes) == [2, 4]
    assert tool.creates == 8
